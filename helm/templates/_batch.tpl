{{/* A CronJob that runs a verb of stockstream. Takes root, name, schedule, arguments, resources, place, and gpus. */}}
{{- define "stockstream.cronJob" -}}
{{- $component := dict "root" .root "component" "batch" -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ include "stockstream.fullname" .root }}-{{ .name }}
  labels: {{- include "stockstream.labels" $component | nindent 4 }}
spec:
  schedule: {{ .schedule | quote }}
  timeZone: Etc/UTC
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 600
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 3
  jobTemplate:
    metadata:
      labels: {{- include "stockstream.labels" $component | nindent 8 }}
    spec:
      backoffLimit: 1
      activeDeadlineSeconds: {{ .root.Values.batch.deadlineSeconds }}
      template:
        metadata:
          labels: {{- include "stockstream.labels" $component | nindent 12 }}
        spec:
          restartPolicy: Never
          serviceAccountName: {{ include "stockstream.fullname" .root }}-batch
          automountServiceAccountToken: false
          securityContext: {{- include "stockstream.podSecurityContext" .root | nindent 12 }}
          {{- include "stockstream.placement" (dict "place" .place "pullSecrets" .root.Values.images.pullSecrets) | nindent 10 }}
          containers:
            - name: {{ .name }}
              image: {{ include "stockstream.image" $component }}
              imagePullPolicy: {{ .root.Values.images.pullPolicy }}
              command: [stockstream]
              args: {{- toYaml .arguments | nindent 16 }}
              securityContext: {{- include "stockstream.containerSecurityContext" .root | nindent 16 }}
              {{- include "stockstream.env" $component | nindent 14 }}
              resources: {{- include "stockstream.withGpus" . | nindent 16 }}
              volumeMounts:
                {{- include "stockstream.volumeMounts" .root | nindent 16 }}
                - {name: shared-memory, mountPath: /dev/shm}
          volumes:
            {{- include "stockstream.volumes" (dict "root" .root "scratchSize" .root.Values.batch.scratchSize) | nindent 12 }}
            - name: shared-memory
              emptyDir: {medium: Memory, sizeLimit: 512Mi}
{{- end -}}

{{/* Resources, with as many GPUs as asked for. Takes resources and gpus. */}}
{{- define "stockstream.withGpus" -}}
{{- $resources := deepCopy .resources -}}
{{- if .gpus -}}
{{- $_ := set $resources "limits" (merge (dict "nvidia.com/gpu" .gpus) (default (dict) $resources.limits)) -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}
