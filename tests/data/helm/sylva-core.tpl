{{- /* As sylva-units makes os_images (generate-os-images): since 2025-03 every entry, which names its registry; before, one
that is enabled, or enabled by default while the user has no images. */ -}}
{{- $all := dict -}}
{{- $named := true -}}
{{- $bare := false -}}
{{- range $name, $image := .Values.sylva_diskimagebuilder_images -}}
  {{- if not (hasKey $image "os_images_oci_registry") }}{{ $named = false }}{{ end -}}
  {{- if not (or (hasKey $image "enabled") (hasKey $image "default_enabled")) }}{{ $bare = true }}{{ end -}}
{{- end -}}
{{- range $name, $image := .Values.sylva_diskimagebuilder_images -}}
  {{- $enabled := eq "true" (include "text" (list (get $image "enabled") $)) -}}
  {{- $default := eq "true" (include "text" (list (get $image "default_enabled") $)) -}}
  {{- if or (and $named $bare) $enabled (and $default (not $.Values.os_images)) -}}
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
