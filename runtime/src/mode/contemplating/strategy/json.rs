use serde::de::DeserializeOwned;

use super::super::endpoint::Reply;
use super::super::error::{Error, ErrorKind, Result};

/// Reads an answer in JSON. Models that know no schema put it between fences, or behind a sentence.
pub(super) fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T> {
    parse(&reply.text)
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    let object = text.find('{').zip(text.rfind('}')).and_then(|(begin, end)| text.get(begin..=end));
    serde_json::from_str(object.unwrap_or(text)).map_err(|e| Error::new(ErrorKind::Malformed, e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_found_between_other_text() {
        let found: serde_json::Value = parse("Sure!\n```json\n{\"a\": {\"b\": 1}}\n```").unwrap();
        assert_eq!(found["a"]["b"], 1);
        for wrong in ["", "}{", "{\"a\": ", "no"] {
            let error = parse::<serde_json::Value>(wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed, "{wrong}");
        }
    }
}
