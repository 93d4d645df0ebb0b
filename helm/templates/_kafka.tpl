{{- define "stockstream.kafkaCluster" -}}
{{ include "stockstream.fullname" . }}
{{- end -}}

{{- define "stockstream.bootstrapServers" -}}
{{- if eq .Values.kafka.mode "strimzi" -}}
{{ include "stockstream.kafkaCluster" . }}-kafka-bootstrap.{{ .Release.Namespace }}.svc:9093
{{- else -}}
{{ .Values.kafka.external.bootstrapServers }}
{{- end -}}
{{- end -}}

{{- define "stockstream.securityProtocol" -}}
{{- ternary "SASL_SSL" .Values.kafka.external.securityProtocol (eq .Values.kafka.mode "strimzi") -}}
{{- end -}}

{{/* Name and key of the Secret with the brokers' CA; the name is empty where the system's certificates do. */}}
{{- define "stockstream.caSecret" -}}
{{- if eq .Values.kafka.mode "strimzi" -}}
{{ include "stockstream.kafkaCluster" . }}-cluster-ca-cert
{{- else if ne .Values.kafka.external.securityProtocol "PLAINTEXT" -}}
{{ .Values.kafka.external.caSecretName }}
{{- end -}}
{{- end -}}

{{- define "stockstream.caKey" -}}
{{- ternary "ca.crt" .Values.kafka.external.caSecretKey (eq .Values.kafka.mode "strimzi") -}}
{{- end -}}

{{/* The brokers' CA as a file, where there is one. */}}
{{- define "stockstream.caMount" -}}
{{- if include "stockstream.caSecret" . -}}
- name: kafka-ca
  mountPath: /etc/stockstream/kafka
  readOnly: true
{{- end -}}
{{- end -}}

{{- define "stockstream.caVolume" -}}
{{- if include "stockstream.caSecret" . -}}
- name: kafka-ca
  secret:
    secretName: {{ include "stockstream.caSecret" . }}
    items: [{key: {{ include "stockstream.caKey" . }}, path: ca.crt}]
{{- end -}}
{{- end -}}

{{/* Environment of one component: who it is to the brokers. Takes root and component. */}}
{{- define "stockstream.kafkaEnv" -}}
{{- $protocol := include "stockstream.securityProtocol" .root -}}
- name: STOCKSTREAM_KAFKA_SECURITY_PROTOCOL
  value: {{ $protocol }}
{{- if include "stockstream.caSecret" .root }}
- name: STOCKSTREAM_KAFKA_CA_FILE
  value: /etc/stockstream/kafka/ca.crt
{{- end }}
{{- if eq $protocol "SASL_SSL" }}
{{- $user := printf "%s-%s" (include "stockstream.fullname" .root) .component }}
{{- $given := index .root.Values.kafka.external.credentials .component }}
{{- if eq .root.Values.kafka.mode "strimzi" }}
- name: STOCKSTREAM_KAFKA_USERNAME
  value: {{ $user }}
- name: STOCKSTREAM_KAFKA_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $user }}, key: password}}
{{- else }}
{{- $secret := required (printf "kafka.external.credentials.%s.secretName: SASL_SSL needs one" .component) $given.secretName }}
- name: STOCKSTREAM_KAFKA_USERNAME
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $given.usernameKey }}}}
- name: STOCKSTREAM_KAFKA_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $given.passwordKey }}}}
{{- end }}
{{- end }}
{{- end -}}
