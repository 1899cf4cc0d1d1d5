package main

import (
	cadvisorapi "github.com/google/cadvisor/info/v1"
	cadvisortest "k8s.io/kubernetes/pkg/kubelet/cadvisor/testing"
)

// machine is a computer with an identity: it stays the same machine while every boot gets an ID of its own, which is how
// a reboot is told from a kubelet that was only restarted.
type machine struct {
	cadvisortest.Fake
	bootID, machineID string
}

func (m *machine) MachineInfo() (*cadvisorapi.MachineInfo, error) {
	info, err := m.Fake.MachineInfo()
	if err != nil {
		return nil, err
	}
	info.BootID = m.bootID
	info.MachineID = m.machineID
	info.SystemUUID = m.machineID
	return info, nil
}
