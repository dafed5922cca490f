module world/charts

go 1.26.0

require (
	github.com/cert-manager/cert-manager v1.21.1
	istio.io/istio v0.0.0-20260827124520-eed52ebb66ad // as in ../istio
	sigs.k8s.io/gateway-api v1.6.0
)

// The version that flux/components/gateway-api names. Istio requires a newer one.
replace sigs.k8s.io/gateway-api => sigs.k8s.io/gateway-api v1.5.1
