{{- define "stockstream.namespacePeers" -}}
{{- range . }}
- namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ . }}}}
{{- end }}
{{- end -}}

{{/* Ports of the external brokers, each once, comma separated. */}}
{{- define "stockstream.kafkaPorts" -}}
{{- $ports := list -}}
{{- range splitList "," .Values.kafka.external.bootstrapServers -}}
{{- $ports = append $ports (splitList ":" . | last) -}}
{{- end -}}
{{- uniq $ports | join "," -}}
{{- end -}}
