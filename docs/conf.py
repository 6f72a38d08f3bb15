"""Build the manual: ``python -m sphinx -W --keep-going -b html docs docs/_build/html``."""

import os
import sys
from importlib.metadata import version as installed
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))
from aliases import IN_SIGNATURES

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

project = "xaimri"
copyright = "the xaimri developers, Apache-2.0"
version = release = installed("xaimri")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "aliases",
    "gallery_pictures",
    "methods",
    "reference",
    "unreleased",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = [
    "_build",
    "_templates",
    "examples",
    "gallery/**/*.ipynb",
    "gallery/**/*.py",
    "sg_execution_times.rst",
]
default_role = "py:obj"
toc_object_entries_show_parents = "hide"
templates_path = ["_templates"]

myst_enable_extensions = ["colon_fence", "deflist", "substitution"]
myst_substitutions = {"release": release}
myst_heading_anchors = 3
suppress_warnings = ["config.cache"]

# The reference. Types that stand in many signatures are written by their short names.
autosummary_generate = True
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 80
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autodoc_type_aliases = IN_SIGNATURES
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
napoleon_use_admonition_for_references = True

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

sphinx_gallery_conf = {
    "examples_dirs": ["examples"],
    "gallery_dirs": ["gallery"],
    "filename_pattern": r"plot_",
    "image_scrapers": ("gallery_pictures",),
    "reset_modules": (),
    "capture_repr": ("_repr_html_", "__repr__"),
    "ignore_repr_types": r"matplotlib|xaimri\.explanation|xaimri\.render",
    "first_notebook_cell": "%matplotlib inline",
    "within_subsection_order": "FileNameSortKey",
    "remove_config_comments": True,
    "show_memory": False,
    "show_signature": False,
    "download_all_examples": False,
    "write_computation_times": False,
    "min_reported_time": 1,
    "thumbnail_size": (480, 260),
    "abort_on_example_error": False,
    "log_level": {"backreference_missing": "debug"},
}

html_theme = "pydata_sphinx_theme"
html_title = f"xaimri {release}"
html_static_path = ["_static"]
html_css_files = ["xaimri.css"]
html_show_sourcelink = False
html_copy_source = False
html_last_updated_fmt = None
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": [], "install": [], "changelog": [], "cite": []}
