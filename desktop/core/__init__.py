"""The engine without a window: no Qt, no TensorFlow; what a script or a cluster job uses."""
