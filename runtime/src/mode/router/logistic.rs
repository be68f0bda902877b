//! Logistic regression with a ridge penalty, by Newton's method (iteratively reweighted least squares).

const STEPS: usize = 50;
/// A step is halved at most so often.
const HALVINGS: usize = 20;

/// Rows of features, each with a 1 at its end, their labels, and what each weighs: all together 1.
pub(super) struct Problem {
    pub(super) rows: Vec<Vec<f64>>,
    pub(super) labels: Vec<bool>,
    pub(super) shares: Vec<f64>,
    /// Pull of each weight towards 0.
    pub(super) ridge: f64,
}

impl Problem {
    /// The weights of least mean loss, of which the last is the bias.
    pub(super) fn solve(&self) -> Vec<f64> {
        let mut beta = vec![0.0; self.rows.first().map_or(0, Vec::len)];
        let mut loss = self.loss(&beta);
        for _ in 0..STEPS {
            let step = self.step(&beta);
            let along = |part: f64| beta.iter().zip(&step).map(|(b, s)| b + part * s).collect::<Vec<_>>();
            let parts = (0..HALVINGS).map(|halvings| along(0.5_f64.powi(halvings as i32)));
            let Some((better, least)) = parts
                .map(|beta| (self.loss(&beta), beta))
                .find(|(next, _)| *next < loss)
                .map(|(a, b)| (b, a))
            else {
                break;
            };
            let gained = loss - least;
            (beta, loss) = (better, least);
            if gained < 1e-12 {
                break;
            }
        }
        beta
    }

    fn loss(&self, beta: &[f64]) -> f64 {
        let penalty = 0.5 * self.ridge * dot(beta, beta);
        let of = |((row, &label), share): ((&Vec<f64>, &bool), &f64)| {
            let margin = if label { dot(row, beta) } else { -dot(row, beta) };
            // ln(1 + exp(-margin)), which overflows on neither side.
            share * ((-margin.abs()).exp().ln_1p() + (-margin).max(0.0))
        };
        penalty + self.rows.iter().zip(&self.labels).zip(&self.shares).map(of).sum::<f64>()
    }

    /// The solution of `hessian * step = -gradient` at `beta`.
    fn step(&self, beta: &[f64]) -> Vec<f64> {
        let size = beta.len();
        let mut downhill: Vec<f64> = beta.iter().map(|b| -self.ridge * b).collect();
        // The lower triangle, row by row.
        let line = |i: usize| [vec![0.0; i], vec![self.ridge]].concat();
        let mut hessian: Vec<Vec<f64>> = (0..size).map(line).collect();
        for ((row, &label), share) in self.rows.iter().zip(&self.labels).zip(&self.shares) {
            let p = 1.0 / (1.0 + (-dot(row, beta)).exp());
            let error = share * (f64::from(u8::from(label)) - p);
            downhill.iter_mut().zip(row).for_each(|(d, x)| *d += error * x);
            let curvature = share * p * (1.0 - p);
            for (line, x) in hessian.iter_mut().zip(row) {
                line.iter_mut().zip(row).for_each(|(h, other)| *h += curvature * x * other);
            }
        }
        cholesky(&mut hessian);
        substituted(&hessian, downhill)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The lower factor of a matrix that the ridge makes positive definite, in its place.
fn cholesky(a: &mut [Vec<f64>]) {
    for i in 0..a.len() {
        let (above, rest) = a.split_at_mut(i);
        let row = &mut rest[0];
        for (j, line) in above.iter().enumerate() {
            row[j] = (row[j] - dot(&row[..j], &line[..j])) / line[j];
        }
        row[i] = (row[i] - dot(&row[..i], &row[..i])).max(f64::MIN_POSITIVE).sqrt();
    }
}

/// Solves for `b` with the lower factor.
fn substituted(lower: &[Vec<f64>], mut b: Vec<f64>) -> Vec<f64> {
    for i in 0..b.len() {
        b[i] = (b[i] - dot(&lower[i][..i], &b[..i])) / lower[i][i];
    }
    for i in (0..b.len()).rev() {
        b[i] /= lower[i][i];
        let x = b[i];
        b[..i].iter_mut().zip(&lower[i]).for_each(|(b, l)| *b -= l * x);
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_solution_the_loss_is_flat() {
        let row = |i: usize| vec![(i * 37 % 11) as f64 / 11.0, (i * 53 % 7) as f64, 1.0];
        let rows: Vec<_> = (0..60).map(row).collect();
        let labels: Vec<_> =
            rows.iter().enumerate().map(|(i, row)| row[0] * 7.0 > row[1] || i % 9 == 0).collect();
        let problem = Problem { rows, labels, shares: vec![1.0 / 60.0; 60], ridge: 0.01 };
        let solution = problem.solve();
        let least = problem.loss(&solution);
        for i in 0..3 {
            let mut beside = solution.clone();
            beside[i] += 1e-4;
            let more = problem.loss(&beside);
            beside[i] -= 2e-4;
            let slope = (more - problem.loss(&beside)) / 2e-4;
            assert!(slope.abs() < 1e-5 && more > least, "{slope} along {i}");
        }
    }

    #[test]
    fn a_linear_system_is_solved() {
        let mut matrix = vec![vec![4.0], vec![2.0, 5.0], vec![1.0, -1.0, 6.0]];
        let whole = [[4.0, 2.0, 1.0], [2.0, 5.0, -1.0], [1.0, -1.0, 6.0]];
        let expected = [0.5, -2.0, 3.0];
        let b = whole.iter().map(|row| dot(row, &expected)).collect();
        cholesky(&mut matrix);
        let found = substituted(&matrix, b);
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
    }

    #[test]
    fn labels_that_a_line_tells_apart_are_told_apart() {
        let rows: Vec<_> = (0..40).map(|i| vec![f64::from(i) - 19.5, 1.0]).collect();
        let labels: Vec<_> = rows.iter().map(|row| row[0] > 0.0).collect();
        let problem = Problem { rows, labels, shares: vec![1.0 / 40.0; 40], ridge: 1e-3 };
        let beta = problem.solve();
        assert!(
            problem.rows.iter().zip(&problem.labels).all(|(row, &label)| (dot(row, &beta) > 0.0) == label)
        );
    }
}
