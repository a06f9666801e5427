"""Arrow as this room sees it.

The published stubs of pyarrow lag behind it and leave most of what arrays do untyped or typed wrongly, so that strict
checking of code that works on Arrow data finds only faults of the stubs. What the annotations of this room say of
Arrow data is for readers; the checker takes it as given.
"""

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt

arrow: Any = pa
compute: Any = pc
parquet: Any = pq
kinds: Any = pt

if TYPE_CHECKING:
    Array = Any
    Column = Any
    Frame = Any
    Kind = Any
    Schema = Any
    ParquetFile = Any
    NativeFile = Any
    Buffer = Any
    FileMetaData = Any
    ColumnChunk = Any
    Statistics = Any
else:
    Array = pa.Array
    Column = pa.ChunkedArray
    Frame = pa.Table
    Kind = pa.DataType
    Schema = pa.Schema
    NativeFile = pa.NativeFile
    Buffer = pa.Buffer
    ParquetFile = pq.ParquetFile
    FileMetaData = pq.FileMetaData
    ColumnChunk = pq.ColumnChunkMetaData
    Statistics = pq.Statistics
