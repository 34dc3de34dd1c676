"""Export a sentence-transformers model once to ONNX. Runs as a process of its own: it alone imports torch.

    python -m indexes.models.onnx_export MODEL_FOLDER EMBEDDER_ID int8|fp32 TARGET_FOLDER [ADAPTER]

The graph holds the whole pipeline (transformer, pooling, any dense layer), so that a question's vector is what
sentence-transformers would return; a check against it is part of the export. int8 is made from the checked graph, and
checked again. Its second output are the states of the tokens, of which vectors of spans are made. An adapter is merged
into the weights first, so that the check is made with it.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from indexes.errors import ModelUnavailable
from indexes.models.export_folder import MODEL_FILE, TOKENIZER_FILE, read_meta, write_meta
from indexes.models.exporting import NO_GRAPH, ONNX, SCRATCH, TOO_COARSE, UNFIT_ADAPTER
from indexes.models.finding import Precision
from indexes.models.sentence_transformers import load_reference, passage_prompt, span_dimension

OPSET = 17
# fp32 against fp32: anything lower is a wrong graph, not rounding.
SMALLEST_COSINE = 0.9999
# int8 against fp32: all-MiniLM-L6-v2, whose retrieval stays what it is, is above 0.97 on texts of any length
# (docs/decisions/embedding-runtime.md); far below, a model does not bear it.
SMALLEST_INT8_COSINE = 0.96
_SAMPLES = (
    "How long should an access token live?",
    "Expand, migrate, contract: three deployments instead of one risky one.",
    "x",
    "maximumPoolSize = 10 and idleTimeout = 600000 in HikariCP; 503 Service Unavailable with Retry-After. " * 4,
)


class NoGraph(Exception):
    """The model cannot be exported, or its graph is not the model."""


class TooCoarse(Exception):
    """int8 changes the vectors of the model too much."""


def export(folder: Path, embedder_id: str, precision: Precision, target: Path, adapter: Path | None) -> None:
    """Write `target` (model, tokenizer, settings) from the model in `folder`, replacing nothing until it is whole.

    The caller holds the lock of the folder that `target` is in. Raises NoGraph, TooCoarse, and ModelUnavailable for an
    adapter that does not fit.
    """
    reference = load_reference(folder, adapter, model_kwargs={"attn_implementation": "eager"})
    reference.eval()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=SCRATCH) as scratch:
        whole = Path(scratch) / "whole"
        whole.mkdir()
        try:
            _export_graph(reference, Path(scratch) / "raw.onnx")
            _optimise(Path(scratch) / "raw.onnx", whole / MODEL_FILE, reference)
            reference.tokenizer.backend_tokenizer.save(str(whole / TOKENIZER_FILE))
            write_meta(whole, _meta(reference, embedder_id, whole / MODEL_FILE))
        except Exception as error:  # whatever torch and the optimiser raise for what they cannot express
            raise NoGraph(f"{type(error).__name__}: {error}") from error
        if (lowest := _agreement(reference, whole)) < SMALLEST_COSINE:
            raise NoGraph(f"the exported graph disagrees with sentence-transformers (cosine {lowest:.5f})")
        if precision == "int8":
            _quantise(whole / MODEL_FILE)
            write_meta(whole, _meta(reference, embedder_id, whole / MODEL_FILE))
            if (lowest := _agreement(reference, whole)) < SMALLEST_INT8_COSINE:
                raise TooCoarse(f"cosine to fp32 {lowest:.3f}")
        shutil.rmtree(target, ignore_errors=True)
        whole.rename(target)


def _export_graph(reference: Any, path: Path) -> None:
    import torch

    names = [n for n in reference.tokenizer.model_input_names if n in ("input_ids", "attention_mask", "token_type_ids")]

    class Whole(torch.nn.Module):  # type: ignore[misc]  # torch is not analysed: it is the exporter's alone
        def __init__(self) -> None:
            super().__init__()
            self.pipeline = reference

        def forward(self, *values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            outputs = self.pipeline(dict(zip(names, values, strict=True)))
            return outputs["sentence_embedding"], outputs["token_embeddings"]

    encoded = reference.tokenizer(["one", "two words here"], padding=True, return_tensors="pt")
    axes = {name: {0: "batch", 1: "tokens"} for name in names}
    torch.onnx.export(
        Whole(),
        tuple(encoded[name] for name in names),
        str(path),
        dynamo=False,
        opset_version=OPSET,
        input_names=names,
        output_names=["vector", "states"],
        dynamic_axes={**axes, "vector": {0: "batch"}, "states": {0: "batch", 1: "tokens"}},
    )


def _optimise(raw: Path, optimised: Path, reference: Any) -> None:
    """Fuse attention and layer norms where ONNX Runtime knows how; a model it does not know stays as it is."""
    from onnxruntime.transformers import optimizer

    config = reference[0].auto_model.config
    if getattr(config, "model_type", "") != "bert":
        shutil.copy(raw, optimised)
        return
    fused = optimizer.optimize_model(
        str(raw), model_type="bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size, opt_level=0
    )
    fused.save_model_to_file(str(optimised))


def _quantise(model: Path) -> None:
    """int8 in place: signed weights with a scale per channel; activations are scaled when a text is embedded."""
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantised = model.with_suffix(".int8")
    quantize_dynamic(
        str(model),
        str(quantised),
        per_channel=True,
        weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": onnx.TensorProto.FLOAT},
    )
    quantised.replace(model)


def _inputs(model: Path) -> list[str]:
    """The inputs the graph has kept: a model may not use all that its tokeniser makes."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    return [value.name for value in session.get_inputs()]


def _meta(reference: Any, embedder_id: str, model: Path) -> dict[str, object]:
    prompts = {key: value for key, value in reference.prompts.items() if value}
    return {
        "id": embedder_id,
        "runtime": ONNX,
        "dimension": reference.get_embedding_dimension(),
        "max_tokens": reference.max_seq_length,
        "pad_token": reference.tokenizer.pad_token,
        "pad_id": reference.tokenizer.pad_token_id,
        "inputs": _inputs(model),
        "question_prompt": prompts.get("query", ""),
        "passage_prompt": passage_prompt(reference),
        "span_dimension": span_dimension(reference),
    }


def _agreement(reference: Any, folder: Path) -> float:
    """The smallest cosine between the vectors of sentence-transformers and those of the exported model."""
    from indexes.models.embedding import OnnxEmbedder

    expected = reference.encode_document(list(_SAMPLES), normalize_embeddings=True)
    actual = OnnxEmbedder.open(folder, read_meta(folder), workers=1).embed_passages(list(_SAMPLES))
    return float((expected * actual).sum(axis=1).min())


def main() -> int:
    os.environ["HF_HUB_OFFLINE"] = "1"
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    folder, embedder_id, precision, target, *adapters = sys.argv[1:]
    adapter = Path(adapters[0]) if adapters else None
    try:
        export(Path(folder), embedder_id, "int8" if precision == "int8" else "fp32", Path(target), adapter)
    except ModelUnavailable as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return UNFIT_ADAPTER
    except (NoGraph, TooCoarse) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return NO_GRAPH if isinstance(error, NoGraph) else TOO_COARSE
    return 0


if __name__ == "__main__":
    sys.exit(main())
