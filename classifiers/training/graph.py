"""The network as the product runs it: an ONNX graph with weights in int8, written out op by op.

Why by hand: torch's export and ONNX Runtime's own quantisation make a graph in which a text's scores depend on the
texts beside it (one scale for all activations of a batch) and in which padding is computed like text. Here

* the texts of a batch stand one after the other, without padding; only attention sees them as rows of one length;
* what goes into a linear layer is rounded in steps fixed beforehand, a step per feature, and each column of weights
  in one of its own, and sums are whole numbers: what a text is read together with makes no difference, and no time
  is spent on finding scales;
* weights keep 7 bits: with 8, processors without VNNI overflow in their 16-bit sums and would score differently.

Inputs, of b texts with n tokens in all, the longest taking s (classifiers.local packs them):
tokens (n) ids; places (n) position in the text, plus that of the second segment (SEGMENT) in what is answered;
into (b, s) the token at each place of each text, any in what is left over; back (n) where in the flattened (b * s)
each token stands; there (b, s) 1.0 at tokens; spoken (b, s) 1.0 at tokens of the text itself.
Outputs: features (b, 768), mean and maximum over the text; logits (b, 12), what the linear head makes of them.
"""

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from classifiers.local import SEGMENT
from classifiers.training.model import Network

#: ONNX Runtime's own operators.
_OWN = "com.microsoft"
_INPUTS = {
    "tokens": (TensorProto.INT64, ["n"]),
    "places": (TensorProto.INT64, ["n"]),
    "into": (TensorProto.INT64, ["b", "s"]),
    "back": (TensorProto.INT64, ["n"]),
    "there": (TensorProto.FLOAT, ["b", "s"]),
    "spoken": (TensorProto.FLOAT, ["b", "s"]),
}
_OUTPUTS = ("logits", "features")
#: The largest weight and the largest activation, as whole numbers; activations are stored with 128 added.
_WEIGHT, _ACTIVATION, _MIDDLE = 63, 127, 128
#: How much of what features differ by in size their steps take up; the weights take up the rest.
_SHARES = np.linspace(0, 1, 11)

Array = NDArray[np.float32]


def graph(network: Network, inputs: Mapping[str, Array]) -> onnx.ModelProto:
    """The graph of `network`, checked for form only: compare its scores before it ships.

    `inputs` has examples (n, width) of what each linear layer of the encoder reads, by the layer's name.
    """
    config = network.encoder.config
    weights = {name: weight.detach().cpu().numpy() for name, weight in network.state_dict().items()}
    build = _Builder(weights, config.num_attention_heads, inputs)
    hidden = build.embedding("encoder.embeddings")
    for layer in range(config.num_hidden_layers):
        name = f"encoder.encoder.layer.{layer}"
        attention = build.attention(hidden, f"{name}.attention")
        hidden = build.norm(build.node("Add", hidden, attention), f"{name}.attention.output.LayerNorm")
        inner = build.node("FastGelu", build.linear(hidden, f"{name}.intermediate.dense"), domain=_OWN)
        outer = build.linear(inner, f"{name}.output.dense")
        hidden = build.norm(build.node("Add", hidden, outer), f"{name}.output.LayerNorm")
    return build.finish(build.head(hidden, "head"))


class _Builder:
    """Adds nodes to a graph; names of weights are those of the network, what `node` returns is an output's name."""

    def __init__(self, weights: Mapping[str, Array], heads: int, inputs: Mapping[str, Array]) -> None:
        self._weights = weights
        self._inputs = inputs
        self._heads = heads
        self._width = len(weights["encoder.embeddings.LayerNorm.bias"]) // heads
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._one = self.constant(np.float32(1))
        self._far = self.constant(np.float32(1e4))
        self._middle = self.constant(np.uint8(_MIDDLE))
        self._last = self.constant(np.array([-1]))
        self._second = self.constant(np.array([1]))
        self._into, self._back = self._places_of_heads()
        unseen = self.node("Mul", self.node("Sub", "there", self._one), self._far)
        self._unseen = self.node("Unsqueeze", unseen, self.constant(np.array([1, 2])))

    def constant(self, value: np.generic | NDArray[np.generic]) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value).reshape(np.shape(value)), name))
        return name

    def node(self, operator: str, *inputs: str, **attributes: object) -> str:
        output = f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def embedding(self, name: str) -> str:
        words = self._weights[f"{name}.word_embeddings.weight"]
        positions = self._weights[f"{name}.position_embeddings.weight"][:SEGMENT]
        segments = self._weights[f"{name}.token_type_embeddings.weight"]
        scale = np.maximum(np.abs(words).max(axis=1, keepdims=True), 1e-6) / 127
        rounded = self.constant(np.round(words / scale).astype(np.int8))
        word = self.node("Cast", self.node("Gather", rounded, "tokens"), to=TensorProto.FLOAT)
        word = self.node("Mul", word, self.node("Gather", self.constant(scale), "tokens"))
        place = self.node(
            "Gather", self.constant(np.concatenate([positions + segment for segment in segments])), "places"
        )
        return self.norm(self.node("Add", word, place), f"{name}.LayerNorm")

    def norm(self, inner: str, name: str) -> str:
        scale, shift = (self.constant(self._weights[f"{name}.{each}"]) for each in ("weight", "bias"))
        return self.node("LayerNormalization", inner, scale, shift, epsilon=1e-12)

    def attention(self, hidden: str, name: str) -> str:
        asked = [f"{name}.self.{each}" for each in ("query", "key", "value")]
        rows = self._by_head(self.linear(hidden, *asked))
        query, key, value = (self.node("Gather", rows, into) for into in self._into)
        near = self.node("FusedMatMul", query, key, alpha=self._width**-0.5, transB=1, domain=_OWN)
        weights = self.node("Softmax", self.node("Add", near, self._unseen), axis=-1)
        seen = self.node("Gather", self._by_head(self.node("MatMul", weights, value)), self._back)
        return self.linear(self._reshape(seen, -1, self._heads * self._width), f"{name}.output.dense")

    def linear(self, inner: str, *names: str) -> str:
        """What linear layers make of `inner`, side by side, in whole numbers between two roundings."""
        weight = np.concatenate([self._weights[f"{name}.weight"] for name in names]).T
        steps = best_steps(self._inputs[names[0]], weight)
        even = self.node("Mul", inner, self.constant(1 / steps))
        rounded = self.node("QuantizeLinear", even, self._one, self._middle)
        whole, scales = _whole(weight, steps)
        bias = self.constant(np.concatenate([self._weights[f"{name}.bias"] for name in names]))
        return self.node(
            "MatMulIntegerToFloat",
            *(rounded, self.constant(whole), self._one, self.constant(scales), self._middle, "", bias),
            domain=_OWN,
        )

    def head(self, hidden: str, name: str) -> str:
        """Mean and maximum over the text itself, side by side, and a linear layer in full precision.

        No ReduceSum over places and no Gemm: they add up one text in another order than several.
        """
        rows = self.node("Gather", hidden, "into")
        total = self.node("MatMul", self.node("Unsqueeze", "spoken", self._second), rows)
        count = self.node("ReduceSum", "spoken", self._second)
        mean = self.node("Div", total, self.node("Unsqueeze", count, self._second))
        unspoken = self.node("Mul", self.node("Sub", self._one, "spoken"), self._far)
        outside = self.node("Unsqueeze", unspoken, self._last)
        most = self.node("ReduceMax", self.node("Sub", rows, outside), self._second, keepdims=1)
        pooled = self.node("Concat", mean, most, axis=2)
        self._nodes.append(helper.make_node("Squeeze", [pooled, self._second], ["features"]))
        weight, bias = (self.constant(self._weights[f"{name}.{each}"]) for each in ("weight", "bias"))
        sums = self.node("ReduceSum", self.node("Mul", pooled, weight), self._last, keepdims=0)
        return self.node("Add", sums, bias)

    def finish(self, logits: str) -> onnx.ModelProto:
        inputs = [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in _INPUTS.items()]
        self._nodes.append(helper.make_node("Identity", [logits], ["logits"]))
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", None]) for name in _OUTPUTS]
        model = helper.make_model(
            helper.make_graph(self._nodes, "classifier", inputs, outputs, self._constants),
            opset_imports=[helper.make_opsetid("", 20), helper.make_opsetid(_OWN, 1)],
            ir_version=9,
        )
        onnx.checker.check_model(model)
        return model

    def _places_of_heads(self) -> tuple[list[str], str]:
        """Where the rows of one head of one token stand: of query, key and value, side by side in its product,
        (b, heads, s) each; and back in what attention makes of them, (n, heads).
        """
        each = np.arange(3 * self._heads).reshape(3, self._heads, 1)
        first = self.node("Mul", "into", self.constant(np.array(3 * self._heads)))
        first = self.node("Unsqueeze", first, self._second)
        into = [self.node("Add", first, self.constant(heads)) for heads in each]
        wide = self.node("Shape", "into", start=1)
        before = self.node("Mul", self.node("Div", "back", wide), wide)
        first = self.node("Add", "back", self.node("Mul", before, self.constant(np.array(self._heads - 1))))
        further = self.node("Mul", self.constant(np.arange(self._heads)), wide)
        return into, self.node("Add", self.node("Unsqueeze", first, self._second), further)

    def _by_head(self, rows: str) -> str:
        return self._reshape(rows, -1, self._width)

    def _reshape(self, inner: str, *shape: int) -> str:
        return self.node("Reshape", inner, self.constant(np.array(shape)))


def best_steps(inputs: Array, weight: Array) -> Array:
    """The steps (width,) in which features are rounded, for the least error of `inputs @ weight`.

    From one step for all (coarse for features that vary little) to each feature's own (coarse for the weights,
    which take up what the steps differ by): SmoothQuant, Xiao et al. 2023, arXiv 2211.10438.
    """
    largest = np.maximum(np.abs(inputs).max(axis=0), 1e-6) / _ACTIVATION
    exact = inputs @ weight
    candidates = [(largest**share * largest.max() ** (1 - share)).astype(np.float32) for share in _SHARES]
    return min(
        candidates, key=lambda steps: float(np.square(_rounded_product(inputs, weight, steps) - exact).sum())
    )


def _rounded_product(inputs: Array, weight: Array, steps: Array) -> Array:
    whole, scales = _whole(weight, steps)
    product: Array = (np.round(inputs / steps).clip(-_MIDDLE, _ACTIVATION) @ whole.astype(np.float32)) * scales
    return product


def _whole(weight: Array, steps: Array) -> tuple[NDArray[np.int8], Array]:
    """The weights for features in `steps`, as whole numbers, and the scale of each column."""
    stepped = weight * steps[:, None]
    scales = np.maximum(np.abs(stepped).max(axis=0), 1e-12) / _WEIGHT
    return np.round(stepped / scales).astype(np.int8), scales.astype(np.float32)
