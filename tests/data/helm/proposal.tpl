{{- /* The chart that sylva-core issue #729 proposes: what is enabled is served, from one registry at one version. */ -}}
{{- $all := dict -}}
{{- range $name, $image := .Values.diskimage_builder_os_images -}}
  {{- if not (kindIs "map" $image) }}{{ fail (printf "%s is no mapping" $name) }}{{ end -}}
  {{- $enabled := include "text" (list (get $image "enabled") $) -}}
  {{- if not (has $enabled (list "" "true" "false")) }}{{ fail (printf "%s: enabled is %s" $name $enabled) }}{{ end -}}
  {{- if eq $enabled "true" -}}
    {{- $key := include "key" (list $name $) -}}
    {{- $version := include "checked" (list $.Values.sylva_diskimagebuilder_version $ "sylva_diskimagebuilder_version") -}}
    {{- $_ := set $all $key (dict "uri" (printf "oci://registry.example/dib/%s:%s" $key $version)) -}}
  {{- end -}}
{{- end -}}
{{- range $name, $image := .Values.os_images -}}
  {{- $key := include "text" (list $name $) -}}
  {{- if hasKey $all $key }}{{ fail (printf "%s is there twice" $key) }}{{ end -}}
  {{- $_ := set $all $key (include "all" (list $image $) | fromJson) -}}
{{- end -}}
{{ dict "os_images" $all | toYaml }}
