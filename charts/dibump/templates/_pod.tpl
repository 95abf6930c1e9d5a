{{- define "dibump.name" -}}
{{ if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" (.Release.Name | trunc 32 | trimSuffix "-") .Chart.Name }}{{ end }}
{{- end }}

{{- define "dibump.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "dibump.labels" -}}
{{ include "dibump.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "dibump.config-map" -}}
{{ .Values.existingConfigMap | default (include "dibump.name" .) }}
{{- end }}

{{- define "dibump.image" -}}
{{- with .Values.image }}{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}{{ end -}}
{{- end }}

{{/* A pod's metadata: of the root and the component. */}}
{{- define "dibump.pod-metadata" -}}
labels:
  {{- include "dibump.selector" .root | nindent 2 }}
  app.kubernetes.io/component: {{ .component }}
  {{- with .root.Values.podLabels }}{{ toYaml . | nindent 2 }}{{ end }}
annotations:
  # A pod that lasts starts again when its configuration is another one.
  checksum/config: {{ .root.Values.config | toYaml | sha256sum }}
  {{- with .root.Values.podAnnotations }}{{ toYaml . | nindent 2 }}{{ end }}
{{- end }}

{{/* What every pod has beside its container: the profile "restricted", and where it may run. */}}
{{- define "dibump.pod" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* What every container has beside its arguments and variables. */}}
{{- define "dibump.container" -}}
image: {{ include "dibump.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "dibump.env" -}}
- {name: DIBUMP_CACHE_DIR, value: /cache}
{{- if .Values.caBundle.configMap }}
- {name: SSL_CERT_FILE, value: {{ printf "/etc/dibump-ca/%s" .Values.caBundle.key | quote }}}
{{- end }}
{{- range .Values.secrets }}
- name: {{ .name }}
  valueFrom:
    secretKeyRef: {name: {{ .secret | quote }}, key: {{ .key | quote }}}
{{- end }}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "dibump.mounts" -}}
- {name: cache, mountPath: /cache}
{{- if .Values.caBundle.configMap }}
- {name: ca, mountPath: /etc/dibump-ca, readOnly: true}
{{- end }}
{{- end }}

{{- define "dibump.volumes" -}}
- name: cache
  {{- if .Values.cache.existingClaim }}
  persistentVolumeClaim: {claimName: {{ .Values.cache.existingClaim | quote }}}
  {{- else }}
  emptyDir: {sizeLimit: {{ .Values.cache.sizeLimit }}}
  {{- end }}
{{- with .Values.caBundle.configMap }}
- name: ca
  configMap: {name: {{ . | quote }}}
{{- end }}
{{- end }}
