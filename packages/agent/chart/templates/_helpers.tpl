{{/* Where everything lives. A release elsewhere than its objects is hardly meant, so it is refused. */}}
{{- define "liberator.namespace" -}}
{{- $release := .Release.Namespace -}}
{{- with .Values.namespace -}}
  {{- if and (ne $release "default") (ne $release .) -}}
    {{- fail (printf "expected --namespace %s, as the value namespace says, found %s: give both the same name, or set the value to \"\"" . $release) -}}
  {{- end -}}
{{- end -}}
{{- .Values.namespace | default $release -}}
{{- end -}}

{{- define "liberator.selectorLabels" -}}
app.kubernetes.io/name: liberator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "liberator.labels" -}}
{{ include "liberator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end -}}

{{- define "liberator.guardSelectorLabels" -}}
app.kubernetes.io/name: liberator-guard
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "liberator.guardLabels" -}}
{{ include "liberator.guardSelectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end -}}

{{/* The configuration file, as the agent reads it. */}}
{{- define "liberator.config" -}}
{{- range $key := list "namespace" "identity" -}}
  {{- if hasKey $.Values.config $key -}}
    {{- $why := ternary "the agent takes that of its pod; set the value namespace instead" "replicas that share one could both lead; each takes its pod's name" (eq $key "namespace") -}}
    {{- fail (printf "expected no config.%s, found %q: %s" $key (get $.Values.config $key | toString) $why) -}}
  {{- end -}}
{{- end -}}
{{- toYaml .Values.config -}}
{{- end -}}

{{/* Whether it acts, or only observes, under a Lease of its own. */}}
{{- define "liberator.mode" -}}
{{- dig "mode" "act" .Values.config -}}
{{- end -}}

{{/* The election Lease's name, which roles and the fencing token refer to. */}}
{{- define "liberator.electionName" -}}
{{- dig "election" "name" "liberator" .Values.config -}}{{ if eq (include "liberator.mode" .) "observe" }}-observe{{ end }}
{{- end -}}

{{- define "liberator.httpPort" -}}
{{- dig "http" "port" 8080 .Values.config -}}
{{- end -}}

{{- define "liberator.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{- define "liberator.subject" -}}
- kind: ServiceAccount
  name: {{ .Values.serviceAccount.name }}
  namespace: {{ include "liberator.namespace" . }}
{{- end -}}
