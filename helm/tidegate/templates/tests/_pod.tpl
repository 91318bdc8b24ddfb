{{- /* A pod that runs one command of the image and ends. */ -}}
{{- define "tidegate.test" -}}
{{- $top := index . 0 -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ include "tidegate.fullname" $top }}-{{ index . 1 }}
  labels:
    app.kubernetes.io/name: {{ include "tidegate.name" $top }}
    app.kubernetes.io/instance: {{ $top.Release.Name }}
    app.kubernetes.io/component: test
  annotations:
    helm.sh/hook: test
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  restartPolicy: Never
  serviceAccountName: {{ include "tidegate.serviceAccount" $top }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with $top.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  securityContext: {{- include "tidegate.podSecurity" $top | nindent 4 }}
  containers:
    - name: test
      image: {{ include "tidegate.image" $top }}
      imagePullPolicy: {{ $top.Values.image.pullPolicy }}
      args: {{ index . 2 | toJson }}
      securityContext: {{- include "tidegate.security" $top | nindent 8 }}
      resources:
        requests: {cpu: 100m, memory: 128Mi, ephemeral-storage: 16Mi}
        limits: {cpu: "1", memory: 512Mi, ephemeral-storage: 128Mi}
      volumeMounts:
        - {name: data, mountPath: /data}
        - {name: tmp, mountPath: /tmp}
  volumes:
    - {name: data, emptyDir: {sizeLimit: 64Mi}}
    - {name: tmp, emptyDir: {sizeLimit: 64Mi}}
{{- end -}}
