// A registry with the referrers API (OCI distribution-spec 1.1), which docker-registry lacks: go-containerregistry's.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"runtime/debug"

	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	if os.Args[1] == "--version" {
		build, _ := debug.ReadBuildInfo()
		for _, module := range build.Deps {
			if module.Path == "github.com/google/go-containerregistry" {
				fmt.Println(module.Version)
			}
		}
		return
	}
	log.Fatal(http.ListenAndServe(os.Args[1], registry.New(registry.WithReferrersSupport(true))))
}
