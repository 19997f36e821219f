//! The progress bar of a call.

use ferromcp_client::ClientCall;

use crate::terminal::{draw_bar, has_bar_support};

/// Width of the bar, in characters.
const WIDTH: usize = 24;

/// Maximum length of the message, in characters, so that the bar is one line.
const MAX_MESSAGE: usize = 40;

/// Draws a progress bar if stderr is a terminal.
pub(crate) fn show_progress<T>(call: ClientCall<T>) -> ClientCall<T> {
    if has_bar_support() {
        return call.on_progress(|progress| {
            draw_bar(&bar(progress.progress, progress.total, progress.message.as_deref()));
        });
    }
    call
}

/// Returns the bar, such as `[######......]  50% message`.
fn bar(progress: f64, total: Option<f64>, message: Option<&str>) -> String {
    let fraction = total.filter(|total| *total > 0.0).map(|total| (progress / total).clamp(0.0, 1.0));
    let amount = match fraction {
        Some(fraction) => {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the width")]
            #[allow(clippy::cast_precision_loss, reason = "a small constant")]
            let filled = (fraction * WIDTH as f64).round() as usize;
            format!("[{}{}] {:3.0}%", "#".repeat(filled), ".".repeat(WIDTH - filled), fraction * 100.0)
        }
        None => progress.to_string(),
    };
    let text: String = message
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .take(MAX_MESSAGE)
        .collect();
    format!("{amount} {text}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_shows_fraction_and_message() {
        assert_eq!(bar(1.0, Some(2.0), Some("half\nway")), "[############............]  50% half way");
        assert_eq!(bar(9.0, Some(2.0), None), "[########################] 100%");
        assert_eq!(bar(f64::NAN, Some(2.0), None).len(), "[........................] NaN%".len());
        assert_eq!(bar(3.0, None, Some("steps")), "3 steps");
        assert_eq!(bar(3.0, Some(0.0), None), "3");
    }
}
