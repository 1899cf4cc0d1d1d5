package main

import (
	"os"

	"k8s.io/kubernetes/pkg/volume/util/hostutil"
)

// host has no file systems. Asked for the permissions of a volume, as happens when a container mounts a subPath of one,
// it tells those of any directory.
type host struct {
	*hostutil.FakeHostUtil
}

func (host) GetMode(string) (os.FileMode, error) {
	return os.ModeDir | 0o755, nil
}
