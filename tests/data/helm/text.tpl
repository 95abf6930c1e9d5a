{{- /* A value whose templates are rendered until none is left, as sylva-units interprets its values. */ -}}
{{- define "text" -}}
  {{- $text := toString (index . 0) -}}
  {{- if contains "{{" $text -}}
    {{- include "text" (list (tpl $text (index . 1)) (index . 1)) -}}
  {{- else -}}
    {{- $text -}}
  {{- end -}}
{{- end -}}
{{- define "checked" -}}
  {{- if not (kindIs "string" (index . 0)) }}{{ fail (printf "%s: is no text" (index . 2)) }}{{ end -}}
  {{- include "text" . | required (index . 2) -}}
{{- end -}}
{{- define "key" -}}
  {{- $key := include "text" . -}}
  {{- if not (regexMatch "^[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*$" $key) }}{{ fail (printf "%s can be no key" $key) }}{{ end -}}
  {{- $key -}}
{{- end -}}
{{- /* A mapping with all its texts rendered. */ -}}
{{- define "all" -}}
  {{- $root := index . 1 -}}
  {{- $all := dict -}}
  {{- range $name, $value := index . 0 -}}
    {{- if kindIs "string" $value -}}
      {{- $_ := set $all $name (include "text" (list $value $root)) -}}
    {{- else if kindIs "map" $value -}}
      {{- $_ := set $all $name (include "all" (list $value $root) | fromJson) -}}
    {{- else -}}
      {{- $_ := set $all $name $value -}}
    {{- end -}}
  {{- end -}}
  {{- toJson $all -}}
{{- end -}}
