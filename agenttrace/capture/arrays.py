"""Arrays, tensors and data frames: their shape, their dtype and the first few items, never the whole.

None of the libraries is imported: who has an array of one has imported it already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .classes import class_name, defines, is_one_of, loaded, module_of
from .contents import Contents, Described, Instead, record

_ITEMS = 10  # shown of an array or series
_ROWS = 5  # shown of a data frame
_COLUMNS = 50  # shown of a data frame

# Libraries whose arrays may be on another device, in a file or not computed yet: reading an item could block.
_REMOTE = frozenset({"cupy", "dask", "jax", "jaxlib", "mlx", "tensorflow", "torch", "xarray", "zarr", "h5py"})


def array_converter(cls: type, module_roots: frozenset[str]) -> Callable[[Any], Described] | None:
    """How to write instances of ``cls`` if it is a known kind of array, series or data frame, else None.

    Args:
        cls: The class.
        module_roots: The top-level packages that ``cls`` and its bases come from.
    """
    for package, name, converter in _KNOWN:
        if package in module_roots and is_one_of(cls, (loaded(package, name),)):
            return converter
    if module_roots & _REMOTE and defines(cls, "shape") and defines(cls, "dtype", "dtypes"):
        return _outline
    return None


def _numpy_array(value: Any) -> Described:
    array: Any = loaded("numpy", "ndarray")
    dtype = array.dtype.__get__(value)
    size = array.size.__get__(value)
    preview = array.tolist(value) if size <= _ITEMS else list(array.flat.__get__(value)[:_ITEMS].tolist())
    return _summary(value, array.shape.__get__(value), str(dtype), preview)


def _numpy_scalar(value: Any) -> Described:
    generic: Any = loaded("numpy", "generic")
    item = generic.item(value)
    # Dates lose their unit as Python objects, and a long double has no Python object to become.
    if generic.dtype.__get__(value).kind in "mM" or is_one_of(type(item), (generic,)):
        return str(value)
    return Instead(item)


def _pandas_frame(value: Any) -> Described:
    shape = value.shape
    head = value.iloc[:_ROWS, :_COLUMNS]
    # Not to_dict(), which loses columns of the same name.
    columns = list(head.columns)
    rows = [dict(zip(columns, row, strict=False)) for row in head.itertuples(index=False, name=None)]
    dtypes = {column: str(dtype) for column, dtype in zip(columns, head.dtypes, strict=False)}
    if len(dtypes) < len(columns):
        rows = [list(row) for row in head.itertuples(index=False, name=None)]  # type: ignore[misc]
        return _summary(value, shape, [str(dtype) for dtype in head.dtypes], rows, columns=columns)
    return _summary(value, shape, dtypes, rows)


def _pandas_series(value: Any) -> Described:
    head = value[:_ITEMS] if is_one_of(type(value), (loaded("pandas", "Index"),)) else value.iloc[:_ITEMS]
    return _summary(value, value.shape, str(value.dtype), list(head), name=value.name)


def _polars_frame(value: Any) -> Described:
    head = value[:_ROWS, :_COLUMNS]
    dtypes = {name: str(dtype) for name, dtype in head.schema.items()}
    return _summary(value, value.shape, dtypes, head.to_dicts())


def _polars_series(value: Any) -> Described:
    return _summary(value, value.shape, str(value.dtype), value.head(_ITEMS).to_list(), name=value.name)


def _torch_tensor(value: Any) -> Described:
    if value.device.type != "cpu" or value.is_sparse:
        return _outline(value)
    flat = value.detach().as_strided((min(value.numel(), _ITEMS),), (1,)) if value.is_contiguous() else None
    if flat is None:
        return _outline(value)
    return _summary(value, tuple(value.shape), str(value.dtype), flat.tolist())


def _outline(value: Any) -> Described:
    dtype = value.dtype if defines(type(value), "dtype") else value.dtypes
    return record(class_name(type(value)), {**_head(value, tuple(value.shape)), "dtype": str(dtype)})


def _summary(value: Any, shape: Any, dtype: Any, preview: Any, **more: Any) -> Contents:
    fields = {**_head(value, shape), "dtype": dtype, **more, "preview": preview}
    return record(class_name(type(value)), fields)


def _head(value: Any, shape: Any) -> dict[str, Any]:
    cls = type(value)
    # The name by which people import it: pandas.DataFrame, not pandas.core.frame.DataFrame.
    package = module_of(cls).partition(".")[0]
    public = f"{package}.{cls.__name__}" if loaded(package, cls.__name__) is cls else class_name(cls)
    return {"type": public, "shape": list(shape)}


_KNOWN: tuple[tuple[str, str, Callable[[Any], Described]], ...] = (
    ("numpy", "ndarray", _numpy_array),
    ("numpy", "generic", _numpy_scalar),
    ("pandas", "DataFrame", _pandas_frame),
    ("pandas", "Series", _pandas_series),
    ("pandas", "Index", _pandas_series),
    ("polars", "DataFrame", _polars_frame),
    ("polars", "Series", _polars_series),
    ("torch", "Tensor", _torch_tensor),
)
