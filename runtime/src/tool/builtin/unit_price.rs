//! Which package is cheaper: arithmetic that small models get wrong.

use std::future::ready;

use serde::Deserialize;
use serde_json::{Value, json};

use super::read;
use crate::tool::{BoxFuture, Effect, Observation, Spec, Tool, ToolError, ToolErrorKind};

/// The tool `unit_price`: ranks what is on a shelf by price per kilogram, litre or piece.
pub struct UnitPrice(Spec);

#[derive(Deserialize)]
struct Arguments {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    name: String,
    price: f64,
    amount: f64,
    unit: Unit,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unit {
    G,
    Kg,
    Oz,
    Lb,
    Ml,
    Cl,
    L,
    Piece,
}

impl Unit {
    /// What it is a part of, and how much.
    fn of(self) -> (&'static str, f64) {
        match self {
            Self::G => ("kg", 0.001),
            Self::Kg => ("kg", 1.0),
            // The international avoirdupois pound of 1959.
            Self::Oz => ("kg", 0.453_592_37 / 16.0),
            Self::Lb => ("kg", 0.453_592_37),
            Self::Ml => ("l", 0.001),
            Self::Cl => ("l", 0.01),
            Self::L => ("l", 1.0),
            Self::Piece => ("piece", 1.0),
        }
    }
}

impl Default for UnitPrice {
    fn default() -> Self {
        let positive = json!({"type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000});
        let item = json!({
            "type": "object",
            "properties": {
                "name": {"type": "string", "maxLength": 60},
                "price": positive,
                "amount": positive,
                "unit": {"enum": ["g", "kg", "oz", "lb", "ml", "cl", "l", "piece"]},
            },
            "required": ["name", "price", "amount", "unit"],
            "additionalProperties": false,
        });
        Self(Spec {
            name: "unit_price".into(),
            description: "Compare prices per kilogram, litre or piece. price is that of the whole package"
                .into(),
            parameters: json!({
                "type": "object",
                "properties": {"items": {"type": "array", "items": item, "minItems": 1, "maxItems": 12}},
                "required": ["items"],
                "additionalProperties": false,
            }),
            effect: Effect::Reads,
        })
    }
}

impl Tool for UnitPrice {
    fn spec(&self) -> &Spec {
        &self.0
    }

    fn call(&self, arguments: Value) -> BoxFuture<'_, Result<Observation, ToolError>> {
        Box::pin(ready(read(arguments).and_then(|Arguments { items }| compare(&items))))
    }
}

/// A line for each item, the cheapest first.
fn compare(items: &[Item]) -> Result<Observation, ToolError> {
    let base = items.first().map_or("piece", |item| item.unit.of().0);
    if let Some(other) = items.iter().map(|item| item.unit.of().0).find(|other| *other != base) {
        let detail = format!("found prices per {base} and per {other}, expected one of them");
        return Err(ToolError::new(ToolErrorKind::Failed, detail));
    }
    let mut prices: Vec<_> =
        items.iter().map(|item| (item.price / (item.amount * item.unit.of().1), item)).collect();
    prices.sort_by(|a, b| a.0.total_cmp(&b.0));
    let line = |(price, item): &(f64, &Item)| format!("{}: {price:.2} per {base}\n", item.name);
    Ok(Observation::from_device(prices.iter().map(line).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::block_on;

    fn item(name: &str, price: f64, amount: f64, unit: &str) -> Value {
        json!({"name": name, "price": price, "amount": amount, "unit": unit})
    }

    #[test]
    fn the_cheapest_comes_first_whatever_the_unit() {
        let items =
            [item("large", 4.5, 1.5, "kg"), item("small", 0.98, 400.0, "g"), item("lb", 1.0, 1.0, "lb")];
        let said = block_on(UnitPrice::default().call(json!({"items": items}))).unwrap();
        assert_eq!(said.untrusted_text(), "lb: 2.20 per kg\nsmall: 2.45 per kg\nlarge: 3.00 per kg\n");
    }

    #[test]
    fn a_litre_is_no_kilogram() {
        let items = [item("milk", 1.0, 1.0, "l"), item("butter", 2.0, 250.0, "g")];
        let error = block_on(UnitPrice::default().call(json!({"items": items}))).unwrap_err();
        assert_eq!(error.to_string(), "it failed: found prices per l and per kg, expected one of them");
    }
}
