# 得意度表
nav-skills = 得意度表
skills-title = 得意度表
skills-line = 0 は「送らない」、100 が最も得意です。薄い数字は上位の部位から受け継いだ値です。「全身」は全身の検査だけの値で、ほかの部位には及びません。
skills-import = CSV を取り込む
skills-empty-title = 読影医がまだいません
skills-empty-text = 読影医を登録すると、ここに得意度表が出ます。
skills-region = 部位
skills-imported = { $n } 個の値を取り込みました。配信案を作り直します。
skills-fault-place = 行-列 { $value }：
skills-fault-sheet = CSV として読めません。1 行目に見出し（例：脳CT、脳MR）を置いてください。{ $value }
skills-fault-heading = 見出し「{ $value }」の部位・モダリティがわかりません。
skills-fault-reader = 「{ $value }」という読影医はいません。ログイン名・氏名・読影医N で書いてください。
skills-fault-value = 「{ $value }」は 0 から 100 の整数ではありません。
skills-saved = 保存しました。
skills-inherits = （上位の値）
skills-keys = セルを選んで 0～100 を入力します。矢印キーと Enter で移動、Esc で取りやめ、空にすると上位の部位の値になります。
