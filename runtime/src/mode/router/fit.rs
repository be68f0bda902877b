//! Fits a rule to questions whose answers are known, and says how well it tells them apart.

use super::logistic::Problem;
use super::{Evidence, Rule};

/// What is known of a question, and whether the rule is to be true of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// What is known before it is answered.
    pub evidence: Evidence,
    /// What is known of the question.
    pub label: bool,
}

/// What a rule goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Features {
    /// The distribution of the first token alone.
    Outlook,
    /// And the hidden state, which all samples have then.
    OutlookAndState,
}

/// A rule that was fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The rule.
    pub rule: Rule,
    /// The area under the curve of rules that were fitted to four fifths of the samples, on the others: the mean of five.
    /// `None` where a label is too rare for that.
    pub area: Option<f64>,
}

/// Penalties that are tried, as parts of the loss: pull of each weight of a feature of deviation 1 towards 0.
const RIDGES: [f64; 5] = [1e-3, 1e-2, 3e-2, 1e-1, 1.0];
const FOLDS: usize = 5;

/// The rule of logistic regression with the ridge penalty that does best in cross-validation; both labels weigh the same,
/// however rare one is, so that the threshold is 0. `None` where all labels are the same.
pub fn fit(samples: &[Sample], features: Features) -> Option<Fitted> {
    let tried = RIDGES.map(|ridge| (cross_validated(samples, features, ridge), ridge));
    // Of equals the one with the strongest pull.
    let (area, ridge) =
        tried.into_iter().max_by(|(a, _), (b, _)| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal))?;
    let rule = fit_with(&samples.iter().collect::<Vec<_>>(), features, ridge)?;
    Some(Fitted { rule, area })
}

/// The probability that the rule scores a sample that it is to be true of above one that it is not (the area under the
/// receiver operating characteristic; ties count a half). `None` where all labels are the same.
pub fn area_under_curve<'a>(rule: &Rule, samples: impl IntoIterator<Item = &'a Sample>) -> Option<f64> {
    let (mut yes, mut no) = (Vec::new(), Vec::new());
    for sample in samples {
        let scores = if sample.label { &mut yes } else { &mut no };
        scores.push(rule.score(&sample.evidence));
    }
    let above = |score: f32| {
        no.iter().map(move |other| match score.total_cmp(other) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        })
    };
    let pairs = yes.len() * no.len();
    let won: f64 = yes.iter().flat_map(|score| above(*score)).sum();
    (pairs > 0).then(|| won / pairs as f64)
}

fn cross_validated(samples: &[Sample], features: Features, ridge: f64) -> Option<f64> {
    let mut seen = [0; 2];
    // Every fold has its part of either label.
    let place = |sample: &Sample| {
        let count = &mut seen[usize::from(sample.label)];
        *count += 1;
        *count % FOLDS
    };
    let places: Vec<_> = samples.iter().map(place).collect();
    let areas = (0..FOLDS).map(|fold| {
        let part = |is_held_out: bool| {
            let chosen =
                samples.iter().zip(&places).filter(move |(_, place)| (**place == fold) == is_held_out);
            chosen.map(|(sample, _)| sample)
        };
        let rule = fit_with(&part(false).collect::<Vec<_>>(), features, ridge)?;
        area_under_curve(&rule, part(true))
    });
    let areas = areas.collect::<Option<Vec<_>>>()?;
    Some(areas.iter().sum::<f64>() / FOLDS as f64)
}

fn fit_with(samples: &[&Sample], features: Features, ridge: f64) -> Option<Rule> {
    let count = |label| samples.iter().filter(|sample| sample.label == label).count();
    let counts = [count(false), count(true)];
    if counts.contains(&0) {
        return None;
    }
    let rows: Vec<Vec<f64>> = samples.iter().map(|sample| numbers(&sample.evidence, features)).collect();
    let scales = Scale::of_columns(&rows);
    let scaled = |row: &Vec<f64>| {
        let numbers = row.iter().zip(&scales).map(|(x, scale)| (x - scale.mean) * scale.factor);
        numbers.chain([1.0]).collect()
    };
    let problem = Problem {
        rows: rows.iter().map(scaled).collect(),
        labels: samples.iter().map(|sample| sample.label).collect(),
        shares: samples.iter().map(|sample| 0.5 / counts[usize::from(sample.label)] as f64).collect(),
        ridge,
    };
    let beta = problem.solve();
    let (bias, weights) = beta.split_last()?;
    let weights: Vec<f64> = weights.iter().zip(&scales).map(|(w, scale)| w * scale.factor).collect();
    let moved: f64 = weights.iter().zip(&scales).map(|(w, scale)| w * scale.mean).sum();
    let mut weights = weights.into_iter().map(|w| w as f32);
    let mut rule =
        Rule::of_outlook(std::array::from_fn(|_| weights.next().unwrap_or(0.0)), (bias - moved) as f32);
    rule.state_weights = weights.collect();
    Some(rule)
}

fn numbers(evidence: &Evidence, features: Features) -> Vec<f64> {
    let state = match features {
        Features::Outlook => &[],
        Features::OutlookAndState => evidence.state.as_slice(),
    };
    evidence.outlook.features().iter().chain(state).map(|&x| f64::from(x)).collect()
}

/// What makes a feature one of mean 0 and deviation 1; 0 where it is always the same.
struct Scale {
    mean: f64,
    factor: f64,
}

impl Scale {
    fn of_columns(rows: &[Vec<f64>]) -> Vec<Self> {
        let count = rows.len() as f64;
        let columns = rows.iter().map(Vec::len).min().unwrap_or(0);
        let of = |column: usize| {
            let mean = rows.iter().map(|row| row[column]).sum::<f64>() / count;
            let square = rows.iter().map(|row| (row[column] - mean).powi(2)).sum::<f64>() / count;
            Self { mean, factor: if square > 1e-12 { square.sqrt().recip() } else { 0.0 } }
        };
        (0..columns).map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Outlook;
    use super::*;

    fn sample(outlook: Outlook, state: Vec<f32>, label: bool) -> Sample {
        Sample { evidence: Evidence { outlook, state }, label }
    }

    /// From 0 to 1, by SplitMix64 (Steele, Lea, Flood 2014).
    fn noise(i: u32, column: u32) -> f32 {
        let z = (u64::from(i) << 20 | u64::from(column)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1 << 24) as f32
    }

    /// Questions of which an answer at once is the likelier wrong the less sure the model is.
    fn samples() -> Vec<Sample> {
        let of = |i: u32| {
            let sure = (i * 37 % 101) as f32 / 101.0;
            let noise = (i * 53 % 89) as f32 / 89.0;
            let outlook = Outlook { max_probability: sure, margin: noise, ..Outlook::default() };
            sample(outlook, Vec::new(), sure + 0.3 * noise < 0.6)
        };
        (0..400).map(of).collect()
    }

    /// Questions of which only the hidden state tells, in one of its 30 numbers.
    fn told_by_the_state() -> Vec<Sample> {
        let of = |i: u32| {
            let state: Vec<_> = (0..30).map(|j| noise(i, j)).collect();
            let outlook = Outlook { max_probability: noise(i, 99), ..Outlook::default() };
            let label = state[7] > 0.6;
            sample(outlook, state, label)
        };
        (0..300).map(of).collect()
    }

    #[test]
    fn a_fitted_rule_tells_questions_apart_that_it_never_saw() {
        let (known, unknown) = (&samples()[..200], &samples()[200..]);
        let fitted = fit(known, Features::Outlook).expect("both labels");
        assert!(fitted.rule.weights[0] < 0.0 && fitted.rule.state_weights.is_empty(), "{fitted:?}");
        let area = area_under_curve(&fitted.rule, unknown).expect("both labels");
        assert!(area > 0.99 && fitted.area.is_some_and(|area| area > 0.99), "{area}, {fitted:?}");
        let right =
            unknown.iter().filter(|sample| (fitted.rule.score(&sample.evidence) > 0.0) == sample.label);
        assert!(right.count() > 180);
    }

    #[test]
    fn what_only_the_hidden_state_tells_is_told_with_it_alone() {
        let samples = told_by_the_state();
        let (known, unknown) = samples.split_at(200);
        let area = |features| {
            let fitted = fit(known, features).expect("both labels");
            [fitted.area, area_under_curve(&fitted.rule, unknown)].map(|area| area.expect("both labels"))
        };
        assert!(area(Features::OutlookAndState).iter().all(|area| *area > 0.9));
        assert!(area(Features::Outlook).iter().all(|area| *area < 0.7));
    }

    #[test]
    fn the_area_of_a_fit_is_of_questions_that_it_did_not_see() {
        // Labels of chance, and more numbers than questions: what was seen is told apart, what was not is not.
        let of =
            |i: u32| sample(Outlook::default(), (0..60).map(|j| noise(i, j)).collect(), noise(i, 777) > 0.5);
        let samples: Vec<_> = (0..60).map(of).collect();
        let fitted = fit(&samples, Features::OutlookAndState).expect("both labels");
        assert!(area_under_curve(&fitted.rule, &samples).expect("both labels") > 0.8);
        assert!(fitted.area.expect("both labels") < 0.75, "{:?}", fitted.area);
    }

    #[test]
    fn the_area_is_the_share_of_pairs_in_order() {
        let rule = Rule::of_outlook([1.0, 0.0, 0.0, 0.0, 0.0], 0.0);
        let of = |score, label| {
            sample(Outlook { max_probability: score, ..Outlook::default() }, Vec::new(), label)
        };
        let samples = [of(0.1, false), of(0.5, true), of(0.5, false), of(0.9, true)];
        assert_eq!(area_under_curve(&rule, &samples), Some((1.0 + 0.5 + 2.0) / 4.0));
        assert_eq!(area_under_curve(&rule, &samples[..1]), None);
    }

    #[test]
    fn labels_that_are_all_the_same_fit_nothing() {
        let mut samples = samples();
        samples.iter_mut().for_each(|sample| sample.label = true);
        assert_eq!(fit(&samples, Features::Outlook), None);
        assert_eq!(fit(&[], Features::Outlook), None);
        samples[0].label = false;
        assert_eq!(fit(&samples, Features::Outlook).expect("both labels").area, None, "too rare");
    }
}
