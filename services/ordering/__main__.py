"""`python -m services.ordering [--only api|worker]`."""

from runtime.process import main
from services.ordering.app import SERVICE

if __name__ == "__main__":
    main(SERVICE)
