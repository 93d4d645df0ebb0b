{{/* Pod template of a Ray node that serves. Takes root, node (head or worker) and resources. */}}
{{- define "stockstream.rayPod" -}}
{{- $component := dict "root" .root "component" "serving" -}}
metadata:
  labels: {{- include "stockstream.labels" $component | nindent 4 }}
  annotations: {{- include "stockstream.settingsChecksum" .root | nindent 4 }}
spec:
  serviceAccountName: {{ include "stockstream.fullname" .root }}-serving
  automountServiceAccountToken: false
  securityContext: {{- include "stockstream.podSecurityContext" .root | nindent 4 }}
  {{- include "stockstream.placement" (dict "place" .root.Values.serving "pullSecrets" .root.Values.images.pullSecrets) | nindent 2 }}
  {{- if eq .node "worker" }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector: {matchLabels: {{ include "stockstream.selector" $component | fromYaml | toJson }}}
  {{- end }}
  containers:
    - name: ray-{{ .node }}
      image: {{ include "stockstream.image" $component }}
      imagePullPolicy: {{ .root.Values.images.pullPolicy }}
      securityContext: {{- include "stockstream.containerSecurityContext" .root | nindent 8 }}
      {{- include "stockstream.env" $component | nindent 6 }}
        - name: RAY_USAGE_STATS_ENABLED
          value: "0"
        - name: OMP_NUM_THREADS
          value: "1"
        {{- if .root.Values.serving.apiTokens.secretName }}
        - name: STOCKSTREAM_API_TOKENS_FILE
          value: /etc/stockstream/api/tokens
        {{- end }}
      ports:
        - {name: metrics, containerPort: 8080}
        {{- if eq .node "head" }}
        - {name: gcs-server, containerPort: 6379}
        - {name: dashboard, containerPort: 8265}
        {{- else }}
        - {name: serve, containerPort: 8000}
        {{- end }}
      resources: {{- toYaml .resources | nindent 8 }}
      volumeMounts:
        {{- include "stockstream.volumeMounts" .root | nindent 8 }}
        - {name: shared-memory, mountPath: /dev/shm}
        {{- if .root.Values.serving.apiTokens.secretName }}
        - {name: api-tokens, mountPath: /etc/stockstream/api, readOnly: true}
        {{- end }}
  volumes:
    {{- include "stockstream.volumes" (dict "root" .root "scratchSize" "5Gi") | nindent 4 }}
    {{- with .root.Values.serving.apiTokens }}
    {{- if .secretName }}
    - name: api-tokens
      secret:
        secretName: {{ .secretName }}
        items: [{key: {{ .key }}, path: tokens}]
    {{- end }}
    {{- end }}
    - name: shared-memory
      emptyDir: {medium: Memory, sizeLimit: {{ .root.Values.serving.objectStoreSize }}}
{{- end -}}

{{/* Pod template of a Ray node that trains. Takes root, node and gpus. */}}
{{- define "stockstream.trainingPod" -}}
{{- $component := dict "root" .root "component" "batch" -}}
{{- $training := .root.Values.training -}}
metadata:
  labels: {{- include "stockstream.labels" $component | nindent 4 }}
spec:
  serviceAccountName: {{ include "stockstream.fullname" .root }}-batch
  automountServiceAccountToken: false
  securityContext: {{- include "stockstream.podSecurityContext" .root | nindent 4 }}
  {{- include "stockstream.placement" (dict "place" $training "pullSecrets" .root.Values.images.pullSecrets) | nindent 2 }}
  containers:
    - name: ray-{{ .node }}
      image: {{ include "stockstream.image" $component }}
      imagePullPolicy: {{ .root.Values.images.pullPolicy }}
      securityContext: {{- include "stockstream.containerSecurityContext" .root | nindent 8 }}
      {{- include "stockstream.env" $component | nindent 6 }}
      resources: {{- include "stockstream.withGpus" (dict "resources" $training.resources "gpus" .gpus) | nindent 8 }}
      volumeMounts:
        {{- include "stockstream.volumeMounts" .root | nindent 8 }}
        - {name: shared-memory, mountPath: /dev/shm}
  volumes:
    {{- include "stockstream.volumes" (dict "root" .root "scratchSize" .root.Values.batch.scratchSize) | nindent 4 }}
    - name: shared-memory
      emptyDir: {medium: Memory, sizeLimit: 2Gi}
{{- end -}}
