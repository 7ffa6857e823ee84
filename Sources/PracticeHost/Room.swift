internal import HostModel
