{{- define "stockstream.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Short, because pods of operators add to it. */}}
{{- define "stockstream.fullname" -}}
{{- $name := include "stockstream.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 30 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels that select: release and component. Takes (dict "root" $ "component" "features"). */}}
{{- define "stockstream.selector" -}}
app.kubernetes.io/name: {{ include "stockstream.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "stockstream.labels" -}}
{{ include "stockstream.selector" . }}
app.kubernetes.io/part-of: stockstream
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Name of the features job of a zone, as infra/settings.py has it: the first zone's is plain. */}}
{{- define "stockstream.featuresJob" -}}
{{- $name := printf "%s-features" (include "stockstream.fullname" .root) -}}
{{- if .first }}{{ $name }}{{ else }}{{ printf "%s-%s" $name (.zone | lower | replace "/" "-" | replace "_" "-") | trunc 45 | trimSuffix "-" }}{{ end -}}
{{- end -}}

{{/* Reference of an image: registry, repository and digest, or tag. */}}
{{- define "stockstream.image" -}}
{{- $image := index .root.Values.images .component -}}
{{- $path := ternary $image.repository (printf "%s/%s" .root.Values.images.registry $image.repository) (empty .root.Values.images.registry) -}}
{{- if $image.digest -}}
{{ $path }}@{{ $image.digest }}
{{- else -}}
{{ $path }}:{{ default .root.Chart.AppVersion $image.tag }}
{{- end -}}
{{- end -}}

{{- define "stockstream.claim" -}}
{{- default (printf "%s-data" (include "stockstream.fullname" .)) .Values.storage.existingClaim -}}
{{- end -}}
