"""CXR Quorum: four neural networks vote on chest X-rays and a human decides."""

__version__ = "0.1.0"
