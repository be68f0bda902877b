use serde::de::DeserializeOwned;

use super::super::endpoint::Reply;
use super::super::error::{Error, ErrorKind, Result};

/// Reads an answer in JSON. Models that know no schema put it between fences, or behind a sentence.
pub(super) fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T> {
    let text = &reply.text;
    let object = text.find('{').zip(text.rfind('}')).and_then(|(begin, end)| text.get(begin..=end));
    serde_json::from_str(object.unwrap_or(text)).map_err(|e| Error::new(ErrorKind::Malformed, e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_found_between_other_text() {
        let reply = |text: &str| Reply { text: text.to_owned(), ..Reply::default() };
        let found: serde_json::Value = read(&reply("Sure!\n```json\n{\"a\": {\"b\": 1}}\n```")).unwrap();
        assert_eq!(found["a"]["b"], 1);
        for wrong in ["", "}{", "{\"a\": ", "no"] {
            let error = read::<serde_json::Value>(&reply(wrong)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed, "{wrong}");
        }
    }
}
