"""`python -m services.metrics [--only api|worker]`."""

from runtime.process import main
from services.metrics.app import SERVICE

if __name__ == "__main__":
    main(SERVICE)
