"""Label on many machines with Ray Data: the same core, part files, one table.

A listing is cut into parts; an actor on any node labels a part with the core's pipeline and commits
it as one file; at the end the parts are put together in the order of the listing. Only
``ray_engine`` knows Ray, and only when it runs.

Importing this package switches Ray's usage reports off, before Ray is loaded anywhere.
"""

import os

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
