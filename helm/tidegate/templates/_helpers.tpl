{{- define "tidegate.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "tidegate.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "tidegate.name" . -}}
{{- /* Room is left for what is appended, such as -metrics. */ -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "tidegate.selector" -}}
app.kubernetes.io/name: {{ include "tidegate.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: gateway
{{- end -}}

{{- define "tidegate.labels" -}}
{{ include "tidegate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "tidegate.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "tidegate.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "tidegate.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "tidegate.podSecurity" -}}
runAsNonRoot: true
{{- with .Values.identity }}
{{- with .user }}
runAsUser: {{ . | int64 }}
{{- end }}
{{- with .group }}
runAsGroup: {{ . | int64 }}
{{- end }}
{{- with .volumeGroup }}
fsGroup: {{ . | int64 }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "tidegate.security" -}}
allowPrivilegeEscalation: false
privileged: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- /* The policy file: what the operator says, and what the chart knows better. */ -}}
{{- define "tidegate.policy" -}}
{{- $policy := deepCopy .Values.policy -}}
{{- $_ := set $policy "listen" "0.0.0.0:8080" -}}
{{- $_ := set $policy "metrics" "0.0.0.0:9090" -}}
{{- $_ := set $policy "auth" "keys" -}}
{{- $_ := set $policy "store" (ternary "sqlite:///data/tidegate.db" "${TIDEGATE_STORE}" (eq .Values.store.kind "sqlite")) -}}
{{- if ne .Values.store.kind "sqlite" -}}
{{- $_ := set $policy "secret" "${TIDEGATE_SECRET}" -}}
{{- end -}}
{{- if not (hasKey $policy "drain") -}}
{{- /* preStop has waited for it already. */ -}}
{{- $_ := set $policy "drain" "0s" -}}
{{- end -}}
{{- $outputs := $policy.outputs | default dict -}}
{{- if not (hasKey $outputs "store") -}}
{{- /* Replicas have no disk in common, so the provider's link is passed on. */ -}}
{{- $_ := set $outputs "store" (ternary "file:///data/outputs" "none" (eq .Values.store.kind "sqlite")) -}}
{{- end -}}
{{- $_ := set $policy "outputs" $outputs -}}
{{- if .Values.packs -}}
{{- $_ := set $policy "catalog" (list "providers.d" "/etc/tidegate/packs") -}}
{{- end -}}
{{ toYaml $policy }}
{{- end -}}

{{- /* What of the policy counts only after a restart; the rest the gateway takes up when the file changes. */ -}}
{{- define "tidegate.cold" -}}
{{- omit (include "tidegate.policy" . | fromYaml) "providers" "routes" "webhooks" "delivery" | toJson -}}
{{- end -}}

{{- define "tidegate.peer" -}}
{{- if .cidr -}}
ipBlock:
  cidr: {{ .cidr }}
{{- else -}}
namespaceSelector:
  {{- with .namespaces }}
  matchLabels: {{ toJson . }}
  {{- else }} {}
  {{- end }}
{{- with .pods }}
podSelector:
  matchLabels: {{ toJson . }}
{{- end }}
{{- end -}}
{{- end -}}

{{- /* A volume's name is shorter than a Secret's may be, and has no dots. */ -}}
{{- define "tidegate.secretVolume" -}}
secret-{{ . | replace "." "-" | trunc 48 | trimSuffix "-" }}
{{- end -}}
