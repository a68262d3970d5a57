from typing import Any, Optional

class Bank:
    nbytes: int
    target: str
    gpu: Optional[int]
    shape: tuple[int, int, int, int]
    def correlate(
        self, image: Any, threads: Optional[int], workspace_limit: Optional[int], out: Any, stream: int
    ) -> None: ...
    def response_shape(
        self, image: Any, threads: Optional[int], workspace_limit: Optional[int]
    ) -> tuple[int, int, int]: ...
    def warmup(self, image: Any) -> None: ...
    def plan(self, image: Any, threads: Optional[int], workspace_limit: Optional[int]) -> dict[str, Any]: ...

def pack(
    kernels: Any, algorithm: str, exactness: str, expected_calls: int, target: Optional[str], device: int, stream: int
) -> Bank: ...
class Templates:
    nbytes: int
    target: str
    shape: tuple[int, int, int, int]
    def score_shape(
        self, image: Any, threads: Optional[int], workspace_limit: Optional[int]
    ) -> tuple[int, int, int]: ...
    def match(
        self, image: Any, threads: Optional[int], workspace_limit: Optional[int], out: Any, valid: Any
    ) -> None: ...
    def warmup(self, image: Any, threads: Optional[int], workspace_limit: Optional[int]) -> None: ...
    def match_best(
        self, image: Any, threads: Optional[int], workspace_limit: Optional[int], out: Any, best: Any
    ) -> None: ...
    def find(
        self,
        image: Any,
        threads: Optional[int],
        workspace_limit: Optional[int],
        top: int,
        threshold: float,
        min_distance: int,
        max_overlap: float,
        refinement: int,
        y: int,
        x: int,
        height: int,
        width: int,
    ) -> list[tuple[int, int, int, float, float, float]]: ...
    def plan(self, image: Any, threads: Optional[int], workspace_limit: Optional[int]) -> tuple[str, int]: ...
    def valid(self, k: int) -> bool: ...

def prepare_templates(
    templates: Any, method: str, mask: Any, algorithm: str, exactness: str, target: Optional[str]
) -> Templates: ...
def targets() -> list[str]: ...
def version() -> str: ...
def fma_peak(target: str, seconds: float) -> float:
    """GFLOP/s of one core doing nothing but the target's widest multiply-adds; best of what fits into `seconds`."""
