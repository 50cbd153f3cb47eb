"""The digest of normalised rows: the same data has the same one in any file format."""

import hashlib
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc


def digest_rows(names: Sequence[str], batches: Iterable[pa.RecordBatch]) -> str:
    """Hash the rows of a table, whatever batches they come in.

    Parameters
    ----------
    names : sequence of str
        The columns, in the order they count.
    batches : iterable of RecordBatch
        Columns of text, int64 and float64.

    Returns
    -------
    str
        SHA-256 in hexadecimal digits.
    """
    parts = {name: [hashlib.sha256() for _ in range(3)] for name in names}
    for batch in batches:
        for name, (known, lengths, content) in parts.items():
            column = batch.column(name)
            known.update(column.is_valid().to_numpy(zero_copy_only=False).tobytes())
            if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
                texts = column.fill_null("").cast(pa.large_binary())
                lengths.update(pc.binary_length(texts).to_numpy().tobytes())
                content.update(b"".join(texts.to_pylist()))
            else:
                content.update(column.fill_null(0).to_numpy().tobytes())
    whole = hashlib.sha256(repr(list(names)).encode())
    for hashes in parts.values():
        for one in hashes:
            whole.update(one.digest())
    return whole.hexdigest()
