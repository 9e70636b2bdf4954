"""Calls about networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from likeness.containers import CONTAINERS
from likeness.pair import LABEL, Pair

if TYPE_CHECKING:
    from dynadock import Client

NETWORKS = st.sampled_from(["red", "blue"])
RANGES = {
    "none": None,
    "lower": "{}.0/25",
    "upper": "{}.128/25",
    "whole": "{}.0/24",
    "odd": "{}.7/24",
}


class Networks(Pair):
    """Rules about networks and who is in them."""

    @rule(
        short=NETWORKS,
        within=st.sampled_from([*RANGES]),
        gateway=st.booleans(),
        internal=st.booleans(),
        driver=st.sampled_from([None, None, "bridge", "host"]),
    )
    def create_network(
        self, short: str, within: str, gateway: bool, internal: bool, driver: Any
    ) -> None:
        """Make a network, whose subnet may overlap with another one's."""
        fields: dict[str, Any] = {"Internal": internal, "Driver": driver}
        given = RANGES[within]
        if given:
            config = {"Subnet": given.format(self.subnet)}
            if gateway:
                last = 254 if within == "upper" else 100
                config["Gateway"] = f"{self.subnet}.{last}"
            fields["IPAM"] = {"Config": [config]}
        self.both(
            "NetworkCreate",
            Name=self.name(short),
            CheckDuplicate=True,
            Labels={LABEL: self.prefix},
            **{name: value for name, value in fields.items() if value is not None},
        )

    @rule(short=NETWORKS)
    def inspect_network(self, short: str) -> None:
        """Compare all that is known of a network."""
        self.look("NetworkInspect", self.name(short))

    @rule(
        filters=st.fixed_dictionaries(
            {},
            optional={
                "driver": st.sampled_from([["bridge"], ["host"]]),
                "scope": st.sampled_from([["local"], ["swarm"]]),
                "type": st.sampled_from([["custom"], ["builtin"], ["odd"]]),
                "dangling": st.sampled_from([["true"], ["false"]]),
                "label": st.just([LABEL]),
            },
        )
    )
    def list_networks(self, filters: Any) -> None:
        """Compare lists of networks, which engines do not sort."""
        filters = {"name": [self.prefix], **filters}
        self.each_until_alike(
            f"NetworkList {filters}", lambda client: self._networks(client, filters)
        )

    def _networks(self, client: Client, filters: Any) -> Any:
        kind, value, *more = self.outcome(client, "NetworkList", filters=filters)
        if kind != "fine":
            return kind, value, *more
        return kind, sorted(value, key=lambda each: each["Name"])

    @rule(short=NETWORKS)
    def delete_network(self, short: str) -> None:
        """Delete a network, which may be in use."""
        self.both("NetworkDelete", self.name(short))

    @rule(
        network=st.sampled_from(["red", "blue", "bridge", "none", "host"]),
        short=CONTAINERS,
        aliases=st.sampled_from([None, ["friend"]]),
        address=st.sampled_from([None, None, 5, 200, 1]),
    )
    def connect(self, network: str, short: str, aliases: Any, address: Any) -> None:
        """Connect a container to a network, perhaps with an address of its own."""
        config: dict[str, Any] = {}
        if aliases:
            config["Aliases"] = aliases
        if address:
            config["IPAMConfig"] = {"IPv4Address": f"{self.subnet}.{address}"}
        self.both(
            "NetworkConnect",
            self._network(network),
            Container=self.name(short),
            EndpointConfig=config or None,
        )

    @rule(network=st.sampled_from(["red", "blue", "bridge"]), short=CONTAINERS, force=st.booleans())
    def disconnect(self, network: str, short: str, force: bool) -> None:
        """Disconnect a container from a network."""
        self.both(
            "NetworkDisconnect", self._network(network), Container=self.name(short), Force=force
        )

    def _network(self, short: str) -> str:
        return self.name(short) if short in ("red", "blue") else short

    @rule()
    def prune_networks(self) -> None:
        """Remove all of ours that nobody is in."""
        filters = {"label": [f"{LABEL}={self.prefix}"]}
        self.each("NetworkPrune", lambda client: self._pruned_networks(client, filters))

    def _pruned_networks(self, client: Client, filters: Any) -> Any:
        came = self.outcome(client, "NetworkPrune", filters=filters)
        if came[0] == "fine":
            came[1]["NetworksDeleted"] = sorted(came[1]["NetworksDeleted"] or ())
        return came
