{{- /* As sylva-units makes os_images (generate-os-images), with the `enabled` and `default_enabled` of its older versions. */ -}}
{{- $all := dict -}}
{{- $chosen := false -}}
{{- range $name, $image := .Values.sylva_diskimagebuilder_images -}}
  {{- if or (hasKey $image "enabled") (hasKey $image "default_enabled") }}{{ $chosen = true }}{{ end -}}
{{- end -}}
{{- range $name, $image := .Values.sylva_diskimagebuilder_images -}}
  {{- $enabled := include "text" (list (get $image "default_enabled") $) -}}
  {{- if hasKey $image "enabled" }}{{ $enabled = include "text" (list $image.enabled $) }}{{ end -}}
  {{- if or (not $chosen) (eq $enabled "true") -}}
    {{- $registries := $.Values.os_images_oci_registries | default dict -}}
    {{- $known := keys $registries -}}
    {{- $registry := get $image "os_images_oci_registry" -}}
    {{- if not $registry }}{{ $registry = ternary (first $known) "sylva" (eq (len $known) 1) }}{{ end -}}
    {{- $registry = include "text" (list $registry $) -}}
    {{- if not (hasKey $registries $registry) }}{{ fail (printf "%s: unknown registry %s" $name $registry) }}{{ end -}}
    {{- $entry := get $registries $registry -}}
    {{- if ne (include "text" (list (get $entry "enabled") $)) "false" -}}
      {{- $key := include "key" (list $name $) -}}
      {{- $url := include "checked" (list $entry.url $ (printf "url of %s" $registry)) -}}
      {{- if not (hasPrefix "oci://" $url) }}{{ fail (printf "%s is no oci url" $url) }}{{ end -}}
      {{- $tag := include "checked" (list $entry.tag $ (printf "tag of %s" $registry)) -}}
      {{- $image := dict "uri" (printf "%s/%s:%s" $url $key $tag) "sylva_dib_image" true -}}
      {{- with include "text" (list (default "" $entry.cosign_publickey) $) }}{{ $_ := set $image "cosign_publickey" . }}{{ end -}}
      {{- $_ := set $all $key $image -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- range $name, $image := .Values.os_images -}}
  {{- $key := include "text" (list $name $) -}}
  {{- if hasKey $all $key }}{{ fail (printf "%s is there twice" $key) }}{{ end -}}
  {{- $_ := set $all $key (include "all" (list $image $) | fromJson) -}}
{{- end -}}
{{ dict "os_images" $all | toYaml }}
