// Command hollow-kubelet is one node of a test cluster: the real kubelet code with a container runtime, a machine and a
// storage driver that only pretend. Kubernetes ships such a program (kubemark); this one differs in what a dead node
// is recognised by: it takes its address and its boot ID from flags, its port speaks TLS and asks who is calling, volumes are
// attached by the controller manager, and everything that it writes stays below --root-dir.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace/noop"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	clientset "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	_ "k8s.io/component-base/metrics/prometheus/restclient"
	remote "k8s.io/cri-client/pkg"
	fakeremote "k8s.io/cri-client/pkg/fake"
	"k8s.io/klog/v2"
	kubeletapp "k8s.io/kubernetes/cmd/kubelet/app"
	kubeletoptions "k8s.io/kubernetes/cmd/kubelet/app/options"
	kubeletconfig "k8s.io/kubernetes/pkg/kubelet/apis/config"
	cadvisortest "k8s.io/kubernetes/pkg/kubelet/cadvisor/testing"
	"k8s.io/kubernetes/pkg/kubelet/cm"
	"k8s.io/kubernetes/pkg/kubemark"
	"k8s.io/kubernetes/pkg/volume/util/hostutil"
)

const maxPods = 110

type options struct {
	name, nodeIP, kubeconfig      string
	clientCA, certificate, key    string
	rootDirectory                 string
	bootID, machineID             string
	labels                        string
	port, leaseDurationSeconds    int
	statusUpdate, statusReporting time.Duration
}

func main() {
	var o options
	flags := flag.NewFlagSet("hollow-kubelet", flag.ExitOnError)
	flags.StringVar(&o.name, "name", "", "name of the node")
	flags.StringVar(&o.nodeIP, "node-ip", "", "the node's InternalIP")
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "how to reach the API server, as system:node:NAME")
	flags.StringVar(&o.clientCA, "client-ca-file", "", "authority of the clients that may call the kubelet's port")
	flags.StringVar(&o.certificate, "tls-cert-file", "", "certificate of the kubelet's port")
	flags.StringVar(&o.key, "tls-private-key-file", "", "key of that certificate")
	flags.StringVar(&o.rootDirectory, "root-dir", "", "where everything is written; keep it short, sockets live below it")
	flags.StringVar(&o.bootID, "boot-id", "", "what the node reports as status.nodeInfo.bootID")
	flags.StringVar(&o.machineID, "machine-id", "", "what the node reports as machineID and systemUUID")
	flags.StringVar(&o.labels, "node-labels", "", "labels to register with: KEY=VALUE,KEY=VALUE")
	flags.IntVar(&o.port, "port", 10250, "the kubelet's port")
	flags.IntVar(&o.leaseDurationSeconds, "node-lease-duration-seconds", 40, "renewed after a quarter of it")
	flags.DurationVar(&o.statusUpdate, "node-status-update-frequency", 10*time.Second, "how often the status is computed")
	flags.DurationVar(&o.statusReporting, "node-status-report-frequency", 5*time.Minute,
		"how often an unchanged status is written")
	_ = flags.Parse(os.Args[1:])
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "hollow-kubelet:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.name == "" || o.nodeIP == "" || o.kubeconfig == "" || o.rootDirectory == "" {
		return errors.New("--name, --node-ip, --kubeconfig and --root-dir are required")
	}
	labels, err := parseLabels(o.labels)
	if err != nil {
		return err
	}
	flags, config := kubemark.GetHollowKubeletConfig(&kubemark.HollowKubeletOptions{
		NodeName: o.name, KubeletPort: o.port, MaxPods: maxPods, NodeLabels: labels,
	})
	if err := moveDirectories(flags, config, o.rootDirectory); err != nil {
		return err
	}
	flags.NodeIP = o.nodeIP
	config.EnableControllerAttachDetach = true
	config.NodeLeaseDurationSeconds = int32(o.leaseDurationSeconds)
	config.NodeStatusUpdateFrequency.Duration = o.statusUpdate
	config.NodeStatusReportFrequency.Duration = o.statusReporting
	config.TLSCertFile = o.certificate
	config.TLSPrivateKeyFile = o.key
	config.Authentication.Anonymous.Enabled = false
	config.Authentication.Webhook.Enabled = true
	config.Authentication.X509.ClientCAFile = o.clientCA
	config.Authorization.Mode = kubeletconfig.KubeletAuthorizationModeWebhook

	client, heartbeatClient, err := createClients(o, config)
	if err != nil {
		return err
	}

	runtime := fakeremote.NewFakeRemoteRuntime()
	endpoint := "unix://" + filepath.Join(o.rootDirectory, "runtime.sock")
	if err := runtime.Start(endpoint); err != nil {
		return fmt.Errorf("pretended container runtime: %w", err)
	}
	runtimeService, err := remote.NewRemoteRuntimeService(ctx, endpoint, 15*time.Second, noop.NewTracerProvider(), false)
	if err != nil {
		return fmt.Errorf("pretended container runtime: %w", err)
	}
	if err := serveStorageDriver(o.rootDirectory, o.name); err != nil {
		return fmt.Errorf("pretended storage driver: %w", err)
	}

	kubelet := kubemark.NewHollowKubelet(flags, config, client, heartbeatClient,
		&machine{Fake: cadvisortest.Fake{NodeName: o.name}, bootID: o.bootID, machineID: o.machineID},
		runtime.ImageService, runtimeService, cm.NewStubContainerManager())
	kubelet.KubeletDeps.ProbeManager = probes{}
	kubelet.KubeletDeps.HostUtil = host{hostutil.NewFakeHostUtil(nil)}
	if kubelet.KubeletDeps.TLSOptions, err = kubeletapp.InitializeTLS(ctx, flags, config); err != nil {
		return fmt.Errorf("kubelet port: %w", err)
	}
	auth, reloadAuthority, err := kubeletapp.BuildAuth(types.NodeName(o.name), client, *config)
	if err != nil {
		return fmt.Errorf("kubelet port: %w", err)
	}
	reloadAuthority(wait.NeverStop)
	kubelet.KubeletDeps.Auth = auth
	kubelet.Run(klog.NewContext(ctx, klog.Background()))
	return nil
}

// moveDirectories gives the kubelet directories below root instead of those that kubemark has made in /tmp.
func moveDirectories(flags *kubeletoptions.KubeletFlags, config *kubeletconfig.KubeletConfiguration, root string) error {
	if err := os.RemoveAll(flags.RootDirectory); err != nil {
		return err
	}
	flags.RootDirectory = root
	config.StaticPodPath = filepath.Join(root, "static-pods")
	config.PodLogsDir = filepath.Join(root, "pod-logs")
	for _, directory := range []string{config.StaticPodPath, config.PodLogsDir} {
		if err := os.MkdirAll(directory, 0o700); err != nil {
			return err
		}
	}
	return nil
}

// createClients returns the kubelet's ordinary client and the one for its Lease, which, as in the kubelet, has no rate
// limit and gives up on a request before the next heartbeat is due.
func createClients(
	o options, config *kubeletconfig.KubeletConfiguration,
) (*clientset.Clientset, *clientset.Clientset, error) {
	rest, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return nil, nil, fmt.Errorf("kubeconfig: %w", err)
	}
	rest.UserAgent = "hollow-kubelet"
	rest.ContentType = "application/vnd.kubernetes.protobuf"
	rest.QPS, rest.Burst = float32(config.KubeAPIQPS), int(config.KubeAPIBurst)
	client, err := clientset.NewForConfig(rest)
	if err != nil {
		return nil, nil, err
	}
	rest.QPS = -1
	rest.Timeout = min(config.NodeStatusUpdateFrequency.Duration, time.Duration(o.leaseDurationSeconds)*time.Second)
	heartbeatClient, err := clientset.NewForConfig(rest)
	if err != nil {
		return nil, nil, err
	}
	return client, heartbeatClient, nil
}

func parseLabels(text string) (map[string]string, error) {
	labels := map[string]string{}
	if text == "" {
		return labels, nil
	}
	for _, pair := range strings.Split(text, ",") {
		key, value, found := strings.Cut(pair, "=")
		if !found || key == "" {
			return nil, fmt.Errorf("--node-labels: expected KEY=VALUE, found %q", pair)
		}
		labels[key] = value
	}
	return labels, nil
}
