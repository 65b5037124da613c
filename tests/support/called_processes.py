"""Finds the processes that a process calls: a fork is nobody's child but the fork server's."""

import psutil


def called_by(pid: int) -> list[psutil.Process]:
    """The other processes to which one is connected, at the ports that they listen on."""
    connected = psutil.Process(pid).net_connections("tcp")
    ports = {each.raddr.port for each in connected if each.status == psutil.CONN_ESTABLISHED}
    listening = psutil.net_connections("tcp")
    pids = {
        each.pid
        for each in listening
        if each.status == psutil.CONN_LISTEN and each.laddr.port in ports
    }
    return [psutil.Process(each) for each in pids - {pid, None}]
