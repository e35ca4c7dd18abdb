//! Icons: one sprite, drawn with the colour of the text around.

use super::assets;
use crate::ui::Html;

/// An icon by its name in `assets/icons.svg`. It says nothing to a screen reader: a word stands beside it.
pub fn icon(name: &str) -> Html {
    Html::raw(format!(
        "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"{}#{name}\"/></svg>",
        assets::address("icons.svg")
    ))
}
