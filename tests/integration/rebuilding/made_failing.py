"""The made-up service on another topic, on whose records its handler fails."""

from dataclasses import replace

from tests.integration.rebuilding import made

REBUILD = replace(made.REBUILD, module=__name__, inputs=(made.ticks("test.ticks.failing"),))
