"""Each module has checks: functions of a cluster that give messages, one for everything that is wrong."""

from . import chain, charts, checkout, health, helm, mesh, modules, notifications, order, secrets

CHECKS = [
    *chain.CHECKS,
    *checkout.CHECKS,
    *health.CHECKS,
    *order.CHECKS,
    *helm.CHECKS,
    *charts.CHECKS,
    *mesh.CHECKS,
    *modules.CHECKS,
    *notifications.CHECKS,
    *secrets.CHECKS,
]
