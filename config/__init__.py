"""What may be chosen: frozen, typed, validated once; the only reader of the environment."""

from config.errors import ConfigError, Fault
from config.load import Service, load_problem, load_service, load_settings
from config.problem import Problem
from config.settings import LogSettings, Settings

__all__ = [
    "ConfigError",
    "Fault",
    "LogSettings",
    "Problem",
    "Service",
    "Settings",
    "load_problem",
    "load_service",
    "load_settings",
]
