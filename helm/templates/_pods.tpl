{{/* Where all files of the release lie: archive, panels, models, checkpoints. */}}
{{- define "stockstream.runDir" -}}
/var/lib/stockstream
{{- end -}}

{{- define "stockstream.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ .Values.podSecurity.userId }}
runAsGroup: {{ .Values.podSecurity.userId }}
fsGroup: {{ .Values.podSecurity.userId }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "stockstream.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Environment of a component: the common settings, and its Kafka user. */}}
{{- define "stockstream.env" -}}
envFrom:
  - configMapRef: {name: {{ include "stockstream.fullname" .root }}-settings}
env:
  - name: HOME
    value: /tmp
  {{- include "stockstream.kafkaEnv" . | nindent 2 }}
{{- end -}}

{{- define "stockstream.volumeMounts" -}}
- name: data
  mountPath: {{ include "stockstream.runDir" . }}
- name: scratch
  mountPath: /tmp
{{ include "stockstream.caMount" . }}
{{- end -}}

{{/* Takes root and scratchSize. */}}
{{- define "stockstream.volumes" -}}
- name: data
  persistentVolumeClaim: {claimName: {{ include "stockstream.claim" .root }}}
- name: scratch
  emptyDir: {sizeLimit: {{ .scratchSize }}}
{{ include "stockstream.caVolume" .root }}
{{- end -}}

{{- define "stockstream.placement" -}}
{{- with .pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with .place.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .place.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Changes of the settings roll the pods. */}}
{{- define "stockstream.settingsChecksum" -}}
stockstream.io/settings: {{ include "stockstream.settings" . | sha256sum | trunc 16 }}
{{- end -}}

{{- define "stockstream.settings" -}}
{{ include "stockstream.ownSettings" . }}
{{- range $name, $value := .Values.settings }}
STOCKSTREAM_{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Those that follow from the chart's own values. */}}
{{- define "stockstream.ownSettings" -}}
STOCKSTREAM_RUN_DIR: {{ include "stockstream.runDir" . }}
STOCKSTREAM_BOOTSTRAP_SERVERS: {{ include "stockstream.bootstrapServers" . | quote }}
STOCKSTREAM_PARTITIONS: {{ .Values.partitions | quote }}
STOCKSTREAM_ZONES: {{ include "stockstream.zones" . | squote }}
STOCKSTREAM_OUT_OF_ORDERNESS_SECONDS: {{ .Values.features.outOfOrdernessSeconds | quote }}
STOCKSTREAM_FEATURE_STEP_SECONDS: {{ .Values.features.stepSeconds | quote }}
STOCKSTREAM_CHECKPOINT_INTERVAL_SECONDS: {{ .Values.features.checkpoints.intervalSeconds | quote }}
STOCKSTREAM_PLANNER_REPLICAS: {{ .Values.serving.plannerReplicas | quote }}
STOCKSTREAM_FORECAST_PATHS: {{ .Values.serving.forecastPaths | quote }}
{{- with .Values.monitoring.prometheusUrl }}
STOCKSTREAM_PROMETHEUS_URL: {{ . | quote }}
{{- end }}
{{- with .Values.monitoring.prometheusLink }}
STOCKSTREAM_PROMETHEUS_LINK: {{ . | quote }}
{{- end }}
{{- with .Values.monitoring.grafanaLink }}
STOCKSTREAM_GRAFANA_LINK: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* The zones as JSON, in their order: the first one is special. */}}
{{- define "stockstream.zones" -}}
{{- $zones := list -}}
{{- range .Values.zones -}}
{{- $zones = append $zones (printf "%s: %s" (toJson .name) (toJson .locations)) -}}
{{- end -}}
{{ printf "{%s}" (join ", " $zones) }}
{{- end -}}
