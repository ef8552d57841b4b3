{{- define "rondo.name" -}}
{{- if contains "rondo" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-rondo" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "rondo.selector" -}}
app.kubernetes.io/name: rondo
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "rondo.labels" -}}
{{ include "rondo.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* What asks the server how it is. The kubelet's grpc probe speaks no TLS. */ -}}
{{- define "rondo.isAlive" -}}
{{- if .Values.tls.secret -}}
httpGet: {path: /healthz, port: metrics, scheme: HTTPS}
{{- else -}}
grpc: {port: 8001, service: grpc.health.v1.Health}
{{- end }}
{{- end }}

{{- define "rondo.isReady" -}}
{{- if .Values.tls.secret -}}
httpGet: {path: /readyz, port: metrics, scheme: HTTPS}
{{- else -}}
grpc: {port: 8001}
{{- end }}
{{- end }}
