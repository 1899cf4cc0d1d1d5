package main

import (
	"context"
	"net"
	"os"
	"path/filepath"

	csi "github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"k8s.io/klog/v2"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

// storageDriverName is what a CSIDriver object and a PersistentVolume's spec.csi.driver say to get this driver.
const storageDriverName = "hollow.liberator.dev"

// storageDriver is the node's half of a CSI driver. It mounts nothing, but lets a pod with an attachable volume run as
// soon as the volume counts as attached, so that VolumeAttachments live and die as they do with real storage.
type storageDriver struct {
	csi.UnimplementedNodeServer
	registration.UnimplementedRegistrationServer
	nodeName, endpoint string
}

// serveStorageDriver listens where the kubelet looks for drivers to register; it finds the socket when it starts.
func serveStorageDriver(kubeletRoot, nodeName string) error {
	directory := filepath.Join(kubeletRoot, "plugins_registry")
	if err := os.MkdirAll(directory, 0o750); err != nil {
		return err
	}
	endpoint := filepath.Join(directory, "hollow.sock")
	listener, err := net.Listen("unix", endpoint)
	if err != nil {
		return err
	}
	driver := &storageDriver{nodeName: nodeName, endpoint: endpoint}
	server := grpc.NewServer()
	registration.RegisterRegistrationServer(server, driver)
	csi.RegisterNodeServer(server, driver)
	go func() {
		if err := server.Serve(listener); err != nil {
			klog.Fatalf("pretended storage driver: %v", err)
		}
	}()
	return nil
}

func (d *storageDriver) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{
		Type: registration.CSIPlugin, Name: storageDriverName, Endpoint: d.endpoint, SupportedVersions: []string{"1.0.0"},
	}, nil
}

func (d *storageDriver) NotifyRegistrationStatus(
	_ context.Context, status *registration.RegistrationStatus,
) (*registration.RegistrationStatusResponse, error) {
	if !status.PluginRegistered {
		klog.Errorf("the kubelet refused the pretended storage driver: %s", status.Error)
	}
	return &registration.RegistrationStatusResponse{}, nil
}

func (d *storageDriver) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: d.nodeName}, nil
}

func (d *storageDriver) NodeGetCapabilities(
	context.Context, *csi.NodeGetCapabilitiesRequest,
) (*csi.NodeGetCapabilitiesResponse, error) {
	return &csi.NodeGetCapabilitiesResponse{}, nil
}

func (d *storageDriver) NodePublishVolume(
	context.Context, *csi.NodePublishVolumeRequest,
) (*csi.NodePublishVolumeResponse, error) {
	return &csi.NodePublishVolumeResponse{}, nil
}

func (d *storageDriver) NodeUnpublishVolume(
	context.Context, *csi.NodeUnpublishVolumeRequest,
) (*csi.NodeUnpublishVolumeResponse, error) {
	return &csi.NodeUnpublishVolumeResponse{}, nil
}
