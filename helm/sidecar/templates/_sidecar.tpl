{{- /*
Three templates for the pod of an app. Put the container among `initContainers`, the volumes among `volumes`, and, when the
gateway needs a policy of its own, the policy into a ConfigMap:

  initContainers:
    {{- include "tidegate.sidecar.container" (dict "image" "tidegate:0.1.0" "secrets" (list "providers")) | nindent 4 }}
  volumes:
    {{- include "tidegate.sidecar.volumes" dict | nindent 4 }}

The app then asks http://127.0.0.1:8080 without a key: the pod is the wall. What they take, all but `image` optional:

  image      the image
  secrets    names of Secrets whose keys become variables, for providers' credentials
  policy     the name of the ConfigMap with config.yaml; the policy is given to "tidegate.sidecar.policy" as `policy`
  claim      the name of a PersistentVolumeClaim for ledger and outputs. Without it they live as long as the pod: jobs under way
             and links end with it, and a pod whose outputs pass 10Gi is evicted, app and all. A claim wants
             `fsGroup: 65532` in the pod's securityContext.
  resources  requests and limits in place of the usual ones

The pod's terminationGracePeriodSeconds is for both: what the app needs, and 25 more.
*/ -}}

{{- /* The container: native sidecar, so the app starts when it serves, and it ends after the app. It has no preStop: that
would come while the app still works. */ -}}
{{- define "tidegate.sidecar.container" -}}
- name: tidegate
  image: {{ required "tidegate.sidecar.container needs an image: (dict \"image\" \"tidegate:0.1.0\")" .image }}
  restartPolicy: Always
  args: [serve]
  env:
    {{- if .policy }}
    # Outputs wait here for a bucket that is away; /tmp has no room for films.
    - {name: TMPDIR, value: /data}
    {{- else }}
    - {name: TIDEGATE_LISTEN, value: "127.0.0.1:8080"}
    - {name: TIDEGATE_AUTH, value: none}
    - {name: TIDEGATE_METRICS, value: "0.0.0.0:9090"}
    {{- end }}
  {{- with .secrets }}
  envFrom:
    {{- range . }}
    - secretRef:
        name: {{ . }}
    {{- end }}
  {{- end }}
  ports:
    - {name: tidegate-ops, containerPort: 9090}
  startupProbe:
    httpGet: {path: /readyz, port: tidegate-ops}
    periodSeconds: 1
    timeoutSeconds: 3
    failureThreshold: 60
  livenessProbe:
    httpGet: {path: /livez, port: tidegate-ops}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  # It counts for the whole pod, so no provider has a say in it.
  readinessProbe:
    httpGet: {path: /readyz, port: tidegate-ops}
    periodSeconds: 5
    timeoutSeconds: 3
    failureThreshold: 3
  securityContext:
    allowPrivilegeEscalation: false
    capabilities: {drop: [ALL]}
    privileged: false
    readOnlyRootFilesystem: true
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    seccompProfile: {type: RuntimeDefault}
  resources:
    {{- if .resources }}
    {{- toYaml .resources | nindent 4 }}
    {{- else }}
    requests: {cpu: 100m, memory: 192Mi, ephemeral-storage: 64Mi}
    limits: {cpu: "1", memory: 512Mi, ephemeral-storage: 10Gi}
    {{- end }}
  volumeMounts:
    - {name: tidegate-data, mountPath: /data}
    - {name: tidegate-tmp, mountPath: /tmp}
    {{- if .policy }}
    - {name: tidegate-policy, mountPath: /etc/tidegate, readOnly: true}
    {{- end }}
{{- end -}}

{{- define "tidegate.sidecar.volumes" -}}
- name: tidegate-data
  {{- if .claim }}
  persistentVolumeClaim: {claimName: {{ .claim }}}
  {{- else }}
  emptyDir: {sizeLimit: 10Gi}
  {{- end }}
- name: tidegate-tmp
  emptyDir: {sizeLimit: 64Mi}
{{- if .policy }}
- name: tidegate-policy
  configMap: {name: {{ .policy }}}
{{- end }}
{{- end -}}

{{- /* The text of config.yaml: what the app's chart says, and what a sidecar is. */ -}}
{{- define "tidegate.sidecar.policy" -}}
{{- $policy := deepCopy (.policy | default dict) -}}
{{- range $name := list "listen" "metrics" "auth" "store" -}}
{{- if hasKey $policy $name -}}
{{- fail (printf "tidegate.sidecar.policy says %s itself: leave it out of the policy" $name) -}}
{{- end -}}
{{- end -}}
{{- $own := dict "listen" "127.0.0.1:8080" "metrics" "0.0.0.0:9090" "auth" "none" "store" "sqlite:///data/tidegate.db" -}}
{{ toYaml (merge $own $policy) }}
{{- end -}}
