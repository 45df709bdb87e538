"""`python -m services.notification [--only api|worker]`."""

from runtime.process import main
from services.notification.app import SERVICE

if __name__ == "__main__":
    main(SERVICE)
