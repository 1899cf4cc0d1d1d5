// kubectl, as in its authors' main package. That one lies in the repository of all of Kubernetes, and can't be depended on
// without every part of it.
package main

import (
	"os"

	// Registers what an "auth-provider" in a kubeconfig can be.
	_ "k8s.io/client-go/plugin/pkg/client/auth"
	"k8s.io/component-base/cli"
	"k8s.io/component-base/logs"
	"k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
)

func main() {
	// Before the flags are parsed: what is done meanwhile logs, too.
	_, _ = logs.GlogSetter(cmd.GetLogVerbosity(os.Args))
	if err := cli.RunNoErrOutput(cmd.NewDefaultKubectlCommand()); err != nil {
		util.CheckErr(err)
	}
}
