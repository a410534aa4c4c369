"""The engine without a window: no Qt, no TensorFlow; what a script or a cluster job uses.

Importing it turns the telemetry of ONNX Runtime off: since 1.29 the official builds report every
session to their maker, with names and hashes of the models, unless this variable is set before the
library is loaded. Child processes inherit it.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
