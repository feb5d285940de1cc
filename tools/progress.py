"""Shows how far a running graph is."""


class Bar:
    """Nodes done, and the steps of the one at work; nothing where tqdm is not there or nobody watches."""

    def __init__(self, graph: dict, progress: bool):
        self.graph, self.bar = graph, None
        if progress:
            try:
                from tqdm import tqdm

                self.bar = tqdm(total=len(graph), unit="node", disable=None, leave=False)
            except ImportError:
                pass

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_) -> None:
        if self.bar is not None:
            self.bar.close()

    def update(self, event: str, data: dict) -> None:
        if self.bar is None or event != "progress_state":
            return
        states = data["nodes"].items()
        self.bar.n = sum(state["state"] == "finished" for _, state in states)
        for node, state in states:
            if state["state"] == "running" and node in self.graph:
                self.bar.set_description(f"{self.graph[node]['class_type']} {state['value']:.0f}/{state['max']:.0f}")
        self.bar.refresh()
