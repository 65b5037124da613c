"""Finds a process's servers by its connections: a forked one is the fork server's child."""

import psutil


def called_by(pid: int) -> list[psutil.Process]:
    """The other processes whose listening ports this one is connected to."""
    connected = psutil.Process(pid).net_connections("tcp")
    ports = {each.raddr.port for each in connected if each.status == psutil.CONN_ESTABLISHED}
    listening = psutil.net_connections("tcp")
    pids = {
        each.pid
        for each in listening
        if each.status == psutil.CONN_LISTEN and each.laddr.port in ports
    }
    return [psutil.Process(each) for each in pids - {pid, None}]
