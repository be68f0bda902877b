//! Fits a rule to questions whose answers are known, and says how well it tells them apart.

use super::{Outlook, Rule};

/// A question with its outlook, and whether the rule is to be true of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// How the answer would begin.
    pub outlook: Outlook,
    /// What is known of the question.
    pub label: bool,
}

/// Pull of each weight towards 0, as a part of a sample.
const RIDGE: f64 = 1e-3;
const STEPS: usize = 50;
/// Weights and bias.
const UNKNOWNS: usize = Outlook::FEATURES + 1;

/// The rule of logistic regression with a ridge penalty, by Newton's method (iteratively reweighted least squares); both
/// labels weigh the same, however rare one is, so that the threshold is 0. `None` where all labels are the same.
#[allow(clippy::needless_range_loop, reason = "a matrix has rows and columns")]
pub fn fit(samples: &[Sample]) -> Option<Rule> {
    let count = |label| samples.iter().filter(|sample| sample.label == label).count();
    let counts = [count(false), count(true)];
    if counts.contains(&0) {
        return None;
    }
    let mut beta = [0.0_f64; UNKNOWNS];
    for _ in 0..STEPS {
        let (mut hessian, mut gradient) = ([[0.0; UNKNOWNS]; UNKNOWNS], [0.0; UNKNOWNS]);
        for i in 0..UNKNOWNS {
            hessian[i][i] = RIDGE;
            gradient[i] = -RIDGE * beta[i];
        }
        for sample in samples {
            let x = row(&sample.outlook);
            let share = 0.5 / counts[usize::from(sample.label)] as f64;
            let p = 1.0 / (1.0 + (-dot(&x, &beta)).exp());
            let error = f64::from(u8::from(sample.label)) - p;
            for i in 0..UNKNOWNS {
                gradient[i] += share * error * x[i];
                for (j, x_j) in x.iter().enumerate() {
                    hessian[i][j] += share * p * (1.0 - p) * x[i] * x_j;
                }
            }
        }
        let step = solve(hessian, gradient);
        beta.iter_mut().zip(step).for_each(|(b, step)| *b += step);
        if step.iter().all(|step| step.abs() < 1e-9) {
            break;
        }
    }
    let [weights @ .., bias] = beta.map(|b| b as f32);
    Some(Rule { weights, bias, threshold: 0.0 })
}

/// The probability that the rule scores a sample that it is to be true of above one that it is not (the area under the
/// receiver operating characteristic; ties count a half). `None` where all labels are the same.
pub fn area_under_curve(rule: &Rule, samples: &[Sample]) -> Option<f64> {
    let scores = |label| {
        samples.iter().filter(move |sample| sample.label == label).map(|sample| rule.score(&sample.outlook))
    };
    let pairs = scores(true).count() * scores(false).count();
    let above = |score: f32| {
        scores(false).map(move |other| match score.total_cmp(&other) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        })
    };
    let won: f64 = scores(true).flat_map(above).sum();
    (pairs > 0).then(|| won / pairs as f64)
}

fn row(outlook: &Outlook) -> [f64; UNKNOWNS] {
    let mut row = [1.0; UNKNOWNS];
    row.iter_mut().zip(outlook.features()).for_each(|(x, feature)| *x = f64::from(feature));
    row
}

fn dot(a: &[f64; UNKNOWNS], b: &[f64; UNKNOWNS]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Gaussian elimination; the ridge makes the matrix positive definite.
#[allow(clippy::needless_range_loop, reason = "a matrix has rows and columns")]
fn solve(mut a: [[f64; UNKNOWNS]; UNKNOWNS], mut b: [f64; UNKNOWNS]) -> [f64; UNKNOWNS] {
    for i in 0..UNKNOWNS {
        for j in i + 1..UNKNOWNS {
            let factor = a[j][i] / a[i][i];
            let above = a[i];
            a[j].iter_mut().zip(above).skip(i).for_each(|(x, above)| *x -= factor * above);
            b[j] -= factor * b[i];
        }
    }
    for i in (0..UNKNOWNS).rev() {
        let known: f64 = (i + 1..UNKNOWNS).map(|j| a[i][j] * b[j]).sum();
        b[i] = (b[i] - known) / a[i][i];
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Questions of which an answer at once is the likelier wrong the less sure the model is.
    fn samples() -> Vec<Sample> {
        let sample = |i: u32| {
            let sure = (i * 37 % 101) as f32 / 101.0;
            let noise = (i * 53 % 89) as f32 / 89.0;
            let outlook = Outlook { max_probability: sure, margin: noise, ..Outlook::default() };
            Sample { outlook, label: sure + 0.3 * noise < 0.6 }
        };
        (0..400).map(sample).collect()
    }

    #[test]
    fn a_fitted_rule_tells_questions_apart_that_it_never_saw() {
        let (known, unknown) = (&samples()[..200], &samples()[200..]);
        let rule = fit(known).expect("both labels");
        assert!(rule.weights[0] < 0.0, "{rule:?}");
        let area = area_under_curve(&rule, unknown).expect("both labels");
        assert!(area > 0.99, "{area}");
        let right = unknown.iter().filter(|sample| (rule.score(&sample.outlook) > 0.0) == sample.label);
        assert!(right.count() > 180);
    }

    #[test]
    fn the_area_is_the_share_of_pairs_in_order() {
        let rule = Rule { weights: [1.0, 0.0, 0.0, 0.0, 0.0], bias: 0.0, threshold: 0.0 };
        let sample = |score, label| Sample {
            outlook: Outlook { max_probability: score, ..Outlook::default() },
            label,
        };
        let samples = [sample(0.1, false), sample(0.5, true), sample(0.5, false), sample(0.9, true)];
        assert_eq!(area_under_curve(&rule, &samples), Some((1.0 + 0.5 + 2.0) / 4.0));
        assert_eq!(area_under_curve(&rule, &samples[..1]), None);
    }

    #[test]
    fn labels_that_are_all_the_same_fit_nothing() {
        let mut samples = samples();
        samples.iter_mut().for_each(|sample| sample.label = true);
        assert_eq!(fit(&samples), None);
        assert_eq!(fit(&[]), None);
    }
}
