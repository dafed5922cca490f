"""Each module has checks: functions of a cluster that give messages, one for everything that is wrong."""

from . import chain, charts, helm, mesh, notifications, order, secrets

CHECKS = [
    *chain.CHECKS,
    *order.CHECKS,
    *helm.CHECKS,
    *charts.CHECKS,
    *mesh.CHECKS,
    *notifications.CHECKS,
    *secrets.CHECKS,
]
