"""What a person would write with pytest-testinfra for the same host: a peer for `bench`."""


def test_bridge_has_its_address(host):
    assert "10.5.0.1" in host.interface("lxcbr1").addresses


def test_forwarding_is_on(host):
    assert host.sysctl("net.ipv4.ip_forward") == 1


def test_something_masquerades(host):
    assert any("MASQUERADE" in rule for rule in host.iptables.rules("nat", "POSTROUTING"))


def test_there_is_a_directory_of_containers(host):
    assert host.file("/var/lib/lxc").is_directory


def test_lxc_is_installed(host):
    assert host.run("lxc-start --version").rc == 0
