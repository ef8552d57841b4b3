{{- define "rondo.name" -}}
{{- if contains "rondo" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-rondo" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "rondo.selector" -}}
app.kubernetes.io/name: rondo
app.kubernetes.io/instance: {{ .Release.Name | quote }}
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

{{- /* The labels of what Prometheus Operator is to select. */ -}}
{{- define "rondo.monitoringLabels" -}}
{{- merge (deepCopy .Values.monitoring.labels) (include "rondo.labels" . | fromYaml) | toYaml }}
{{- end }}

{{- /* A list of the secrets that are mounted, each at /etc/rondo/NAME. */ -}}
{{- define "rondo.secrets" -}}
{{- with .Values.tls.secret }}
- {name: tls, secret: {{ . | quote }}}
{{- end }}
{{- with .Values.tokens.secret }}
- {name: tokens, secret: {{ . | quote }}}
{{- end }}
{{- if eq .Values.sessions.store "redis" }}
{{- with .Values.sessions.redis.caSecret }}
- {name: redis, secret: {{ . | quote }}}
{{- end }}
{{- end }}
{{- with .Values.tracing.caSecret }}
- {name: collector, secret: {{ . | quote }}}
{{- end }}
{{- end }}

{{- /* The address of Redis, as --session_store takes it. */ -}}
{{- define "rondo.redis" -}}
{{- $url := .Values.sessions.redis.url -}}
{{- $url -}}
{{- if .Values.sessions.redis.caSecret -}}
{{- ternary "&" "?" (contains "?" $url) -}}ca=/etc/rondo/redis/ca.crt
{{- end -}}
{{- end }}

{{- /* A list of the ports that it leads to. */ -}}
{{- define "rondo.redisPorts" -}}
{{- $url := regexReplaceAll "[?][^?]*$" .Values.sessions.redis.url "" -}}
{{- $hosts := regexReplaceAll "/.*$" (regexReplaceAll "^[a-z+]*://(.*@)?" $url "") "" -}}
{{- $sentinels := contains "+sentinel://" $url -}}
{{- $ports := list -}}
{{- range splitList "," $hosts -}}
{{- $ports = append $ports (regexFind "[0-9]+$" (regexFind ":[0-9]+$" .) | default (ternary "26379" "6379" $sentinels)) -}}
{{- end -}}
{{- if $sentinels -}}{{- $ports = append $ports "6379" -}}{{- end -}}
{{- range uniq $ports }}
- port: {{ . }}
{{- end }}
{{- end }}

{{- /* Where names are looked up. */ -}}
{{- define "rondo.dnsPorts" -}}
- {port: 53, protocol: UDP}
- {port: 53, protocol: TCP}
{{- end }}
