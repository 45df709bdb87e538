"""The made-up service on another topic, whose building processes are killed."""

from dataclasses import replace

from tests.integration.rebuilding import made

REBUILD = replace(made.REBUILD, module=__name__, inputs=(made.ticks("test.ticks.killed"),))
