"""Where the system runs: on one machine (`local`), in containers, on Kubernetes."""
